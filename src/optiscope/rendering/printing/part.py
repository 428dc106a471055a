"""Typed reading of one part of a figure specification, by dotted path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from optiscope.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class Part:
    """A trace, an axis, a legend, ... with the template already merged in. An absent attribute reads as its default."""

    name: str
    """What error messages call it, such as "heatmap trace 'loss'"."""
    properties: Mapping[str, object]
    """The attributes, nested as in plotly's JSON; arrays are decoded."""

    def raw(self, path: str) -> object:
        """The value at a dotted path, or None."""
        value: object = self.properties
        for key in path.split("."):
            if not isinstance(value, Mapping):
                return None
            value = value.get(key)
        return value

    def number(self, path: str, default: float) -> float:
        """A number."""
        value = self.number_or_none(path)
        return default if value is None else value

    def number_or_none(self, path: str) -> float | None:
        """A number, or None when the figure leaves it open."""
        value = self.raw(path)
        if value is None:
            return None
        if isinstance(value, Real | np.number | bool):
            return float(value)
        try:
            return float(str(value))
        except ValueError:
            raise self.mistake(path, value, "a number") from None

    def text(self, path: str, default: str = "") -> str:
        """A string."""
        value = self.raw(path)
        return default if value is None else str(value)

    def flag(self, path: str, default: bool) -> bool:
        """A switch."""
        value = self.raw(path)
        return default if value is None else bool(value)

    def column(self, path: str) -> Sequence[object] | NDArray[np.generic] | None:
        """A list or an array, or None when there is none (a scalar counts as none)."""
        value = self.raw(path)
        if isinstance(value, np.ndarray):
            return value
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return value
        return None

    def numbers(self, path: str, count: int, default: float) -> NDArray[np.float64]:
        """One number for each of `count` items, from a list (repeated as needed), a single number or the default."""
        listed = self.column(path)
        if listed is None or len(listed) == 0:
            return np.full(count, self.number(path, default))
        return np.resize(np.asarray(listed, dtype=float), count)

    def part(self, path: str) -> Part:
        """The nested part at a path; empty when absent."""
        value = self.raw(path)
        return Part(f"{path} of the {self.name}", value if isinstance(value, Mapping) else {})

    def parts(self, path: str) -> list[Part]:
        """The parts in the list at a path, such as "annotations"."""
        items = self.column(path)
        if items is None:
            return []
        singular = path.removesuffix("s")
        return [Part(f"{singular} {number}", item) for number, item in enumerate(items, 1) if isinstance(item, Mapping)]

    def mistake(self, path: str, value: object, wanted: str) -> ArgumentError:
        """The error for an attribute of the wrong kind."""
        return ArgumentError(f"{path!r} of the {self.name} must be {wanted}. Received: {value!r}.")
