"""Where the numbers of a segment lie, found without decoding its record batches one by one.

Batches of one segment with equally many rows have the very same metadata, byte for byte. So Arrow decodes and checks
one batch of each such kind, and of all others only their offset is noted: a run that was flushed twice a second for
days has hundred thousands of small batches, and a series of it must not cost a decoding of each.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

BROKEN = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, EOFError)
"""What Arrow raises at bytes that are no segment."""

_PREFIX = struct.Struct("<Ii")
_CONTINUATION = 0xFFFFFFFF
_SMALL_PIECE = 4096
"""Bytes up to which pieces are gathered together, not copied one after the other."""


@dataclass(frozen=True, eq=False)
class FrameKind:
    """What batches with the same metadata have in common."""

    size: int
    """Bytes of the whole message."""
    rows: int
    """Rows of the batch."""
    places: tuple[int, ...]
    """For each column, the offset of its numbers from the beginning of the message."""


@dataclass(frozen=True, eq=False)
class Frames:
    """The whole batches of a stretch of a segment, in order."""

    offsets: NDArray[np.int64]
    """First byte of each message."""
    kinds: NDArray[np.int64]
    """Index into `known` for each."""
    known: tuple[FrameKind, ...]
    """The kinds that occur."""
    end: int
    """Offset behind the last whole batch."""

    def column(self, content: NDArray[np.uint8], index: int, dtype: str, width: int) -> NDArray[np.generic]:
        """All numbers of the column `index`, `width` of them a row, as an array [rows × width].

        When they lie in one piece it is a view of `content`, else a copy.
        """
        row_bytes = np.dtype(dtype).itemsize * width
        if len(self.offsets) == 1:
            kind = self.known[self.kinds[0]]
            first = int(self.offsets[0]) + kind.places[index]
            return content[first : first + kind.rows * row_bytes].view(dtype)
        rows = np.array([kind.rows for kind in self.known], dtype=np.int64)[self.kinds]
        firsts = np.concatenate([[0], np.cumsum(rows)]) * row_bytes
        joined = np.empty(int(firsts[-1]), dtype=np.uint8)
        for number, kind in enumerate(self.known):
            chosen = np.flatnonzero(self.kinds == number)
            size = kind.rows * row_bytes
            sources = self.offsets[chosen] + kind.places[index]
            if 0 < size <= _SMALL_PIECE and len(chosen) > 1:
                _gather(content, sources, joined, firsts[chosen], size)
            else:
                for source, target in zip(sources.tolist(), firsts[chosen].tolist(), strict=True):
                    joined[target : target + size] = content[source : source + size]
        return joined.view(dtype)


def _gather(
    content: NDArray[np.uint8],
    sources: NDArray[np.int64],
    joined: NDArray[np.uint8],
    targets: NDArray[np.int64],
    size: int,
) -> None:
    """Copy `size` bytes from each of `sources` in `content` to each of `targets` in `joined`."""
    # In the largest words that everything is a multiple of.
    everything = np.concatenate([[size, len(joined)], sources, targets])
    word = next(each for each in (8, 4, 2, 1) if not np.any(everything % each))
    span = np.arange(size // word)
    words = content[: len(content) // word * word].view(f"u{word}")
    joined.view(f"u{word}")[targets[:, None] // word + span] = words[sources[:, None] // word + span]


def scan_frames(content: pa.Buffer, schema: pa.Schema, start: int) -> Frames:
    """The whole and valid batches from the offset `start` on; whatever is no such batch ends them."""
    view = memoryview(content)
    known: list[FrameKind] = []
    numbers: dict[bytes, int] = {}
    offsets: list[int] = []
    kinds: list[int] = []
    at = start
    while at + _PREFIX.size <= len(view):
        mark, length = _PREFIX.unpack_from(view, at)
        body = at + _PREFIX.size + length
        if mark != _CONTINUATION or length <= 0 or body > len(view):
            break
        metadata = bytes(view[at + _PREFIX.size : body])
        number = numbers.get(metadata)
        if number is None:
            kind = _decoded(content, schema, at)
            if kind is None:
                break
            number = numbers[metadata] = len(known)
            known.append(kind)
        if at + known[number].size > len(view):
            break
        offsets.append(at)
        kinds.append(number)
        at += known[number].size
    return Frames(np.array(offsets, dtype=np.int64), np.array(kinds, dtype=np.int64), tuple(known), at)


def _decoded(content: pa.Buffer, schema: pa.Schema, at: int) -> FrameKind | None:
    """What the batch at the offset `at` looks like; None when it is not whole, or no batch of this schema."""
    try:
        stream = pa.BufferReader(content[at:])
        message = pa.ipc.MessageReader.open_stream(stream).read_next_message()
        if message.type != "record batch":
            return None
        size = stream.tell()
        batch = pa.ipc.read_record_batch(message, schema)
        batch.validate()
        first = content.address + at
        places = []
        for column in batch.columns:
            buffer = column.buffers()[-1]
            if column.null_count or column.offset or (buffer is None and len(column)):
                return None
            places.append(0 if buffer is None else buffer.address - first)
    except (StopIteration, *BROKEN):
        return None
    return FrameKind(size, batch.num_rows, tuple(places))
