"""Anything a user may put into a config or an event, as strict JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence, Set
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy as np

_DEEPEST = 32
_LARGEST_ARRAY = 10_000

NONFINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""JSON has no NaN and no infinity; they are written as these strings."""


def to_json(value: object, *, depth: int = 0) -> Any:
    """`value` in the types that JSON knows. What has no JSON form becomes its `repr`; nothing raises.

    Numbers that are not finite become the strings "NaN", "Infinity" and "-Infinity".
    """
    match value:
        case Enum():
            return value.name
        case None | bool() | str():
            return value
        case int():
            return int(value)
        case float():
            return _number(float(value))
        case np.generic():
            return to_json(value.item(), depth=depth) if value.dtype.kind in "biuf" else _representation(value)
        case PurePath():
            return str(value)
    if depth >= _DEEPEST:
        return _representation(value)
    try:
        match value:
            case Mapping():
                return {str(key): to_json(each, depth=depth + 1) for key, each in value.items()}
            case np.ndarray() if value.size <= _LARGEST_ARRAY:
                return to_json(value.tolist(), depth=depth + 1)
            case Set():
                return sorted((to_json(each, depth=depth + 1) for each in value), key=repr)
            case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
                return [to_json(each, depth=depth + 1) for each in value]
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {
                each.name: to_json(getattr(value, each.name), depth=depth + 1) for each in dataclasses.fields(value)
            }
    except Exception:  # a config with a strange object in it must not keep a run from being recorded
        return _representation(value)
    return _representation(value)


def number_from_json(value: object) -> float:
    """The inverse of `to_json` for one number. Raises `ValueError` for anything else."""
    if isinstance(value, str) and value in NONFINITE:
        return NONFINITE[value]
    if isinstance(value, int | float):
        return float(value)
    raise ValueError(f"{value!r} is not a number")


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _representation(value: object) -> str:
    try:
        return repr(value)[:1000]
    except Exception:  # the same
        return f"<{type(value).__qualname__}>"
