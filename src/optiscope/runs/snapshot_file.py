"""One snapshot of all parameters as a safetensors file: written whole or not at all, read by memory map."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from optiscope.errors import RunDamaged
from optiscope.runs.run_file import synchronise_folder
from optiscope.runs.schema import FORMAT_VERSION, TEMPORARY_SUFFIX

_LARGEST_HEADER = 100_000_000  # the limit of the safetensors format
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class StoredTensor:
    """Where one tensor lies in a snapshot file."""

    dtype: np.dtype[np.generic]
    """Element type as stored."""
    shape: tuple[int, ...]
    """Shape as stored; a complex tensor has a last axis of two, the real and the imaginary part."""
    offset: int
    """First byte in the file."""


@dataclass(frozen=True, kw_only=True)
class SnapshotHeader:
    """What a snapshot file says about itself."""

    tensors: Mapping[str, StoredTensor]
    """Every tensor, by name."""
    dtypes: Mapping[str, str]
    """Element type in the framework ("bfloat16", "complex64", …), for tensors that are stored as another."""
    seconds: float
    """Time since the run began, in seconds; NaN when the file does not say."""


def write_snapshot(
    path: Path, tensors: Mapping[str, NDArray[np.generic]], *, step: int, seconds: float, dtypes: Mapping[str, str]
) -> int:
    """Write `tensors` to a temporary name, wait for the disk, rename to `path`; return the bytes. Raises `OSError`."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    original = dict(dtypes)
    stored: dict[str, NDArray[np.generic]] = {}
    for name, tensor in tensors.items():
        plain = np.asarray(tensor, order="C")
        if plain.dtype.kind == "c":
            original.setdefault(name, plain.dtype.name)
            plain = plain.reshape(*plain.shape, 1).view(plain.real.dtype)
        if plain.dtype.itemsize > 8:
            plain = plain.astype(np.float64)
        stored[name] = np.asarray(plain.astype(plain.dtype.newbyteorder("="), copy=False), order="C")
    metadata = {
        "optiscope.format": str(FORMAT_VERSION),
        "optiscope.step": str(step),
        "optiscope.seconds": repr(float(seconds)),
        "optiscope.dtypes": json.dumps(original),
    }
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        try:
            save_file(stored, temporary, metadata=metadata)
        except SafetensorError as error:
            raise OSError(str(error)) from error
        temporary.chmod(path.parent.stat().st_mode & 0o666)  # the library's files are for their owner only
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    synchronise_folder(path.parent)
    return size


def read_header(path: Path) -> SnapshotHeader:
    """The header of the snapshot at `path`, checked against the file's size. Raises `RunDamaged` naming the file."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, _LARGEST_HEADER):
                raise ValueError("it is cut short")
            content = json.loads(file.read(length))
        data_start = 8 + length
        metadata = content.pop("__metadata__", {})
        tensors = {name: _stored_tensor(entry, data_start, size) for name, entry in content.items()}
        return SnapshotHeader(
            tensors=tensors,
            dtypes=dict(json.loads(metadata.get("optiscope.dtypes", "{}"))),
            seconds=float(metadata.get("optiscope.seconds", "nan")),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RunDamaged(f"The snapshot {path} cannot be read: {reason}. Delete the file to be rid of this.") from error


def _stored_tensor(entry: Mapping[str, object], data_start: int, file_size: int) -> StoredTensor:
    name = str(entry["dtype"])
    if name not in _DTYPES:
        raise ValueError(f"element type {name} is none that Optiscope writes")
    dtype: np.dtype[np.generic] = np.dtype(_DTYPES[name])
    shape = entry["shape"]
    offsets = entry["data_offsets"]
    if not (isinstance(shape, list) and isinstance(offsets, list) and len(offsets) == 2):
        raise TypeError("its header is malformed")
    first, last = int(offsets[0]), int(offsets[1])
    sizes = tuple(int(size) for size in shape)
    if min(sizes, default=0) < 0 or first < 0 or last - first != math.prod(sizes) * dtype.itemsize:
        raise ValueError("its header contradicts itself")
    if data_start + last > file_size:
        raise ValueError(f"it is cut short: {file_size} of {data_start + last} bytes or more")
    return StoredTensor(dtype=dtype, shape=sizes, offset=data_start + first)


def load_tensors(path: Path) -> dict[str, NDArray[np.generic]]:
    """All tensors of the snapshot at `path`, mapped into memory and read-only. Raises `RunDamaged` naming the file."""
    header = read_header(path)
    try:
        content = np.memmap(path, dtype=np.uint8, mode="r")
    except (OSError, ValueError) as error:
        raise RunDamaged(f"The snapshot {path} cannot be read: {error}. Delete the file to be rid of this.") from error
    tensors: dict[str, NDArray[np.generic]] = {}
    for name, stored in header.tensors.items():
        count = math.prod(stored.shape)
        flat = np.frombuffer(content, dtype=stored.dtype, count=count, offset=stored.offset) if count else None
        tensor = np.zeros(stored.shape, stored.dtype) if flat is None else flat.reshape(stored.shape)
        if header.dtypes.get(name, "").startswith("complex") and stored.dtype.kind == "f" and stored.shape[-1:] == (2,):
            dtype = np.result_type(stored.dtype, np.complex64)
            # NumPy has no complex numbers of half precision; single precision holds them exactly.
            tensor = tensor.astype(dtype.type().real.dtype, copy=False).view(dtype)[..., 0]
        tensors[name] = tensor
    return tensors
