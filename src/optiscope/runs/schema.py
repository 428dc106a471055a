"""The run format, version 1: names of files, columns and metadata keys, and the layout of a segment.

docs/run-format.md says the same in words, for whoever writes a reader in another language.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from jaxtyping import Float

FORMAT_VERSION = 1
"""Written into every run and every segment. It rises when an old reader could misread a new run."""

RUN_FILE = "run.json"
EVENTS_FILE = "events.jsonl"
ANNOTATIONS_FILE = "annotations.json"
HEARTBEAT_FILE = "writer.json"
LOCK_FILE = "writer.lock"
SERIES_FOLDER = "series"
SEGMENT_SUFFIX = ".arrows"
SNAPSHOTS_FOLDER = "snapshots"
SNAPSHOT_SUFFIX = ".safetensors"
TEMPORARY_SUFFIX = ".tmp"

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""What Arrow writes behind the last record batch of a stream that was closed."""

METRICS_SOURCE = "metrics"
LONG_SOURCE = "metrics-long"
HISTOGRAM_SOURCE = "histograms"
NONFINITE_SUFFIX = "/nonfinite"

REQUIRED_TIMELINES = ("row", "step", "seconds")
"""Columns that every segment begins with. `row` counts the rows of the whole run, over all its segments."""
OPTIONAL_TIMELINES = ("epoch", "samples")
TIMELINE_DTYPES = {"row": "int64", "step": "int64", "seconds": "float64", "epoch": "float64", "samples": "float64"}

STATUSES = ("running", "finished", "failed", "terminated")
"""What run.json may say. A reader adds "crashed": it says running, but its writer is gone."""

_FORMAT_KEY = b"optiscope.format"
_SOURCE_KEY = b"optiscope.source"
_TIMELINES_KEY = b"optiscope.timelines"
_LABELS_KEY = b"optiscope.labels"
_BINS_KEY = b"optiscope.bins"
_EDGES_KEY = b"optiscope.edges"

_FIXED_BINS_PER_SIGN = 128
_FIXED_LOWEST_EXPONENT = -40.0


def fixed_edges() -> Float[np.ndarray, " bins+1"]:
    """The histogram edges that a segment means when it names none: ±2^(−40 + k/2) for k = 0 … 128, 257 bins."""
    positive = 2.0 ** (np.arange(_FIXED_BINS_PER_SIGN + 1) / 2 + _FIXED_LOWEST_EXPONENT)
    return np.concatenate([-positive[::-1], positive])


@dataclass(frozen=True, kw_only=True)
class Column:
    """One quantity in a segment."""

    name: str
    """Name of the quantity, as the run shows it."""
    dtype: str = "float64"
    """NumPy name of the element type."""
    labels: tuple[str, ...] | None = None
    """Names of the elements of the fixed-size list; None for a plain number."""
    bins: int | None = None
    """Bins per label when the column holds histograms; the list then has labels × bins elements."""
    edges: tuple[float, ...] | None = None
    """Bin edges; None for the fixed ones."""

    @property
    def width(self) -> int | None:
        """Elements of the fixed-size list, or None for a plain number."""
        return None if self.labels is None else len(self.labels) * (self.bins or 1)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the rows of one segment look like."""

    source: str
    """Who measured."""
    timelines: tuple[str, ...]
    """The leading columns: `REQUIRED_TIMELINES`, then those of `OPTIONAL_TIMELINES` that the rows have."""
    columns: tuple[Column, ...]
    """The quantities. A long segment has none: there each row carries one name and one value."""

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        # Thousands of labels are slow to hash, and a layout is looked up for each batch.
        return hash((self.source, self.timelines, self.columns))

    @property
    def is_long(self) -> bool:
        """Whether a row is one named value, instead of one value per column."""
        return self.source == LONG_SOURCE

    def to_schema(self) -> pa.Schema:
        """The Arrow schema of the segment."""
        fields = [pa.field(name, pa.from_numpy_dtype(TIMELINE_DTYPES[name]), nullable=False) for name in self.timelines]
        if self.is_long:
            fields += [pa.field("name", pa.string(), nullable=False), pa.field("value", pa.float64(), nullable=False)]
        for column in self.columns:
            element = pa.from_numpy_dtype(column.dtype)
            metadata: dict[bytes, str] = {}
            if column.labels is not None:
                element = pa.list_(pa.field("item", element, nullable=False), column.width)
                metadata[_LABELS_KEY] = json.dumps(column.labels)
            if column.bins is not None:
                metadata[_BINS_KEY] = str(column.bins)
            if column.edges is not None:
                metadata[_EDGES_KEY] = json.dumps(column.edges)
            fields.append(pa.field(column.name, element, nullable=False, metadata=metadata or None))
        return pa.schema(
            fields,
            metadata={
                _FORMAT_KEY: str(FORMAT_VERSION),
                _SOURCE_KEY: self.source,
                _TIMELINES_KEY: json.dumps(self.timelines),
            },
        )

    @classmethod
    def from_schema(cls, schema: pa.Schema) -> Layout:
        """The inverse of `to_schema`. Raises `ValueError` with the reason when this is no segment of ours."""
        metadata = schema.metadata or {}
        missing = [key.decode() for key in (_FORMAT_KEY, _SOURCE_KEY, _TIMELINES_KEY) if key not in metadata]
        if missing:
            raise ValueError(f"its schema has no {missing[0]!r}: it was not written by Optiscope")
        version = int(metadata[_FORMAT_KEY])
        if version > FORMAT_VERSION:
            raise ValueError(f"it has format version {version}, this Optiscope reads up to {FORMAT_VERSION}")
        timelines = tuple(json.loads(metadata[_TIMELINES_KEY]))
        source = metadata[_SOURCE_KEY].decode()
        for index, name in enumerate(timelines):
            expected = pa.field(name, pa.from_numpy_dtype(TIMELINE_DTYPES.get(name, "int8")), nullable=False)
            if name not in TIMELINE_DTYPES or index >= len(schema) or schema.field(index) != expected:
                raise ValueError(f"its column {index} is not the timeline {name!r}")
        if timelines[: len(REQUIRED_TIMELINES)] != REQUIRED_TIMELINES:
            raise ValueError(f"its timelines begin with {timelines}, not with {REQUIRED_TIMELINES}")
        fields = [schema.field(index) for index in range(len(timelines), len(schema))]
        if source == LONG_SOURCE:
            if [(each.name, str(each.type)) for each in fields] != [("name", "string"), ("value", "double")]:
                raise ValueError("its columns are not a name and a value")
            return cls(source=source, timelines=timelines, columns=())
        return cls(source=source, timelines=timelines, columns=tuple(_column(each) for each in fields))


def _column(field: pa.Field) -> Column:
    metadata = field.metadata or {}
    if not pa.types.is_fixed_size_list(field.type):
        return Column(name=field.name, dtype=_numeric(field, field.type))
    if _LABELS_KEY not in metadata:
        raise ValueError(f"its list column {field.name!r} has no labels")
    column = Column(
        name=field.name,
        dtype=_numeric(field, field.type.value_type),
        labels=tuple(json.loads(metadata[_LABELS_KEY])),
        bins=int(metadata[_BINS_KEY]) if _BINS_KEY in metadata else None,
        edges=tuple(json.loads(metadata[_EDGES_KEY])) if _EDGES_KEY in metadata else None,
    )
    if column.width != field.type.list_size:
        raise ValueError(
            f"its column {field.name!r} has {field.type.list_size} elements for {column.width} labels and bins"
        )
    edges = column.edges
    if edges is not None and (len(edges) != (column.bins or 0) + 1 or not np.all(np.diff(edges) > 0)):
        raise ValueError(f"its column {field.name!r} has {len(edges)} edges for {column.bins} bins, or not in order")
    return column


def _numeric(field: pa.Field, element: pa.DataType) -> str:
    if not (pa.types.is_floating(element) or pa.types.is_integer(element)):
        raise ValueError(f"its column {field.name!r} holds {element}, not numbers")
    return str(np.dtype(element.to_pandas_dtype()))


def segment_name(source: str, number: int) -> str:
    """File name of segment `number` of `source`, with what a file system may refuse replaced."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '_', source)[:64] or 'source'}-{number}{SEGMENT_SUFFIX}"


def segment_number(file_name: str) -> int:
    """The number in the file name of a segment; 0 when there is none."""
    digits = file_name.removesuffix(SEGMENT_SUFFIX).rpartition("-")[2]
    return int(digits) if digits.isdecimal() and len(digits) < 18 else 0
