"""How many rows a run has, counted on from the last look: only the frames behind it are visited, no number is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from optiscope.runs.files import segment_files
from optiscope.runs.frames import BROKEN, scan_frames
from optiscope.runs.schema import SERIES_FOLDER


@dataclass(slots=True)
class _Counted:
    """One segment, as far as it was counted."""

    schema: pa.Schema
    end: int
    """Offset behind the last whole batch."""


class Growth:
    """Whole rows in all segments of one run. A torn tail counts when it has become whole."""

    def __init__(self, run_path: Path) -> None:
        """Nothing is counted before `count`."""
        self.rows = 0
        """Whole rows in all segments, of all sources."""
        self.step = 0
        """Optimizer step of the row that was found last."""
        self.is_counted = False
        """Whether anybody has counted."""
        self._path = run_path
        self._sizes: dict[str, tuple[int, int]] = {}
        self._segments: dict[str, _Counted] = {}

    def note(self) -> None:
        """Remember how large the segments are, without a look into them: `count` is then quick until one grows."""
        self._sizes = self._sizes_now()

    def count(self) -> bool:
        """Count what has come. False when a segment is gone or shorter: then another run is in the folder."""
        sizes = self._sizes_now()
        known = self._sizes
        if sizes == known:
            return True
        if any(
            name not in sizes or sizes[name][0] != inode or sizes[name][1] < size
            for name, (inode, size) in known.items()
        ):
            return False
        for name, size in sizes.items():
            if not self.is_counted or size != known.get(name):
                self._count(name)
        self.is_counted = True
        self._sizes = sizes
        return True

    def _sizes_now(self) -> dict[str, tuple[int, int]]:
        sizes = {}
        for file in segment_files(self._path):
            try:
                stat = file.stat()
            except OSError:
                continue  # gone since the folder was read
            sizes[file.name] = stat.st_ino, stat.st_size
        return sizes

    def _count(self, name: str) -> None:
        segment = self._segments.get(name)
        try:
            with pa.memory_map(str(self._path / SERIES_FOLDER / name)) as source:
                content = source.read_buffer(source.size())
            if segment is None:
                stream = pa.BufferReader(content)
                schema = pa.ipc.read_schema(stream)
                segment = self._segments[name] = _Counted(schema, stream.tell())
            frames = scan_frames(content, segment.schema, segment.end)
        except BROKEN:
            return  # not begun yet, or no segment
        segment.end = frames.end
        counts = np.array([kind.rows for kind in frames.known], dtype=np.int64)[frames.kinds]
        self.rows += int(counts.sum())
        if len(counts) and counts[-1]:
            first = int(frames.offsets[-1]) + frames.known[int(frames.kinds[-1])].places[1]
            self.step = int(np.frombuffer(content, np.int64, 1, first + 8 * (int(counts[-1]) - 1))[0])
