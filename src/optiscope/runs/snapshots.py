"""The snapshots of a run: all parameters at some steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from optiscope.errors import RunDamaged, UnknownName
from optiscope.runs.schema import SNAPSHOT_SUFFIX, SNAPSHOTS_FOLDER
from optiscope.runs.snapshot_file import SnapshotHeader, load_tensors, read_header

_FILE_NAME = re.compile(r"(\d{1,18})" + re.escape(SNAPSHOT_SUFFIX))


class Snapshots:
    """The parameters of a run at the steps that were kept, ascending; those on disk when the run was opened."""

    def __init__(self, run_path: Path) -> None:
        self._folder = run_path / SNAPSHOTS_FOLDER
        self._paths = dict(sorted(_listing(self._folder)))

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[int]:
        return iter(self._paths)

    def __contains__(self, step: object) -> bool:
        return step in self._paths

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps that have a snapshot, ascending."""
        return tuple(self._paths)

    def load(self, step: int) -> dict[str, NDArray[np.generic]]:
        """All parameters at `step`, by name, mapped into memory and read-only.

        Raises `UnknownName` when there is no snapshot of that step, `RunDamaged` naming the file when it is damaged.
        """
        return load_tensors(self._path(step))

    def header(self, step: int) -> SnapshotHeader:
        """Names, shapes and element types at `step`, without the parameters. Raises as `load` does."""
        return read_header(self._path(step))

    def flat(self, step: int, names: Sequence[str] | None = None) -> Float[np.ndarray, " parameters"]:
        """The parameters at `step` as one vector, in the order of `names` (default: sorted by name).

        Integer and boolean tensors are left out unless they are named; complex ones give real parts, then imaginary
        parts. The element type is float32 when no tensor needs more, else float64. Raises as `load` does, and
        `UnknownName` when a name is not in the snapshot.
        """
        tensors = self.load(step)
        chosen = (
            sorted(name for name, tensor in tensors.items() if tensor.dtype.kind in "fc") if names is None else names
        )
        pieces: list[NDArray[np.generic]] = []
        for name in chosen:
            if name not in tensors:
                raise UnknownName.among(name, tensors, kind=f"tensor of the snapshot of step {step}")
            tensor = tensors[name]
            pieces += [tensor.real.ravel(), tensor.imag.ravel()] if tensor.dtype.kind == "c" else [tensor.ravel()]
        small = all(piece.dtype.kind == "f" and piece.dtype.itemsize <= 4 for piece in pieces)
        dtype = np.float32 if small and pieces else np.float64
        return np.concatenate([np.empty(0, dtype), *pieces], dtype=dtype, casting="unsafe")

    def matrix(
        self, steps: Sequence[int] | None = None, names: Sequence[str] | None = None
    ) -> Float[np.ndarray, "snapshots parameters"]:
        """The vectors of `flat` at `steps` (default: all) as the rows of one matrix.

        It is all in memory: snapshots × parameters elements. To go through one at a time, call `flat`.
        """
        chosen = self.steps if steps is None else tuple(steps)
        return np.stack([self.flat(step, names) for step in chosen]) if chosen else np.empty((0, 0))

    def damaged(self) -> dict[str, str]:
        """What is wrong with each file that cannot be read, by its name in the run."""
        faults: dict[str, str] = {}
        for path in self._paths.values():
            try:
                read_header(path)
            except RunDamaged as error:
                faults[f"{SNAPSHOTS_FOLDER}/{path.name}"] = str(error)
        return faults

    def _path(self, step: int) -> Path:
        path = self._paths.get(step)
        if path is None:
            raise UnknownName.among(step, map(str, self._paths), kind="step with a snapshot")
        return path


def _listing(folder: Path) -> Iterator[tuple[int, Path]]:
    try:
        entries = list(folder.iterdir())
    except OSError:
        return
    for path in entries:
        match = _FILE_NAME.fullmatch(path.name)
        if match is not None:
            yield int(match[1]), path
