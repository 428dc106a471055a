"""Samples of series on their way to the page: as JSON for anybody, as binary columns for a page in a hurry.

The binary form begins with the length of a JSON text, 4 bytes little endian, and the text, filled up with spaces to a
multiple of 8 bytes; then come the columns as little-endian float64, in the order in which the text names them, each as
long as its sample has points. The text is the JSON form with the names of the columns in place of their numbers. So a
browser makes its arrays of the answer without a look at a single number, and NaN needs no spelling.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optiscope.dashboard.sampling import Sample
from optiscope.runs.json_form import to_json

BINARY_TYPE = "application/octet-stream"
"""Asked for by the Accept header."""


def as_json(samples: Sequence[Sample]) -> bytes:
    """`{"series": [...]}`; numbers that are not finite are text, as in the run format."""
    described = [{**_description(each), "columns": _json_columns(each)} for each in samples]
    return _text({"series": described})


def as_binary(samples: Sequence[Sample]) -> bytes:
    """The binary form, as the docstring of the module has it."""
    described = [{**_description(each), "columns": list(_columns(each))} for each in samples]
    text = _text({"series": described})
    text += b" " * (-(len(text) + 4) % 8)
    columns = [column.astype("<f8").tobytes() for each in samples for column in _columns(each).values()]
    return b"".join([struct.pack("<I", len(text)), text, *columns])


def _description(sample: Sample) -> dict[str, Any]:
    broken = sample.nans + sample.positive_infinities + sample.negative_infinities
    marked = np.flatnonzero(broken)
    return {
        "run": sample.run_name,
        "name": sample.name,
        "points": len(sample.steps),
        "rows": sample.rows,
        "rows_of_series": sample.rows_of_series,
        "steps_of_series": sample.steps_of_series,
        "thinned": bool(sample.is_thinned),
        # Of the buckets that hold such values: which, rows, NaN, +∞, −∞.
        "nonfinite": np.stack(
            [
                marked,
                sample.bucket_rows[marked],
                sample.nans[marked],
                sample.positive_infinities[marked],
                sample.negative_infinities[marked],
            ],
            axis=1,
        ).tolist(),
    }


def _columns(sample: Sample) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any] | None] = {
        "step": sample.steps,
        "seconds": sample.seconds,
        "epoch": sample.epochs,
        "samples": sample.samples,
        "value": sample.values,
        "bucket": sample.buckets,
    }
    return {name: column for name, column in columns.items() if column is not None}


def _json_columns(sample: Sample) -> dict[str, list[Any]]:
    columns = {}
    for name, column in _columns(sample).items():
        numbers = column.tolist()
        for index in np.flatnonzero(~np.isfinite(column)).tolist():
            numbers[index] = to_json(numbers[index])
        columns[name] = numbers
    return columns


def _text(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
