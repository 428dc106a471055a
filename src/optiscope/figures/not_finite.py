"""Marks for values that are NaN or infinite: at the top of the axes, where no value can hide them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from optiscope.figures.theme import Theme
from optiscope.runs.wording import counted


@dataclass(frozen=True, kw_only=True, eq=False)
class NotFinite:
    """Where one line has values that cannot be drawn on it."""

    name: str
    """Name of the line."""
    x: NDArray[Any]
    """Position of each mark on the timeline."""
    values: NDArray[np.float64]
    """The first value that each mark stands for: NaN or ±infinity."""
    counts: NDArray[np.int64]
    """Values that each mark stands for."""


def marks(lines: Sequence[NotFinite], height: float, theme: Theme) -> list[Any]:
    """One trace with a cross for each place, at `height`, and the total in the legend; none when all is finite."""
    lines = [line for line in lines if len(line.x)]
    if not lines:
        return []
    total = sum(int(line.counts.sum()) for line in lines)
    x = np.concatenate([line.x for line in lines])
    texts = [
        f"{line.name}: {_spelled(value)}" + (f", {count:,} values up to the next mark" if count > 1 else "")
        for line in lines
        for value, count in zip(line.values, line.counts, strict=True)
    ]
    return [
        go.Scatter(
            x=x,
            y=np.full(len(x), height),
            mode="markers",
            name=f"not finite ({counted(total, 'value')})",
            marker={"symbol": "x", "size": 8, "color": theme.not_finite},
            text=texts,
            hovertemplate="%{text}<br>at %{x}<extra>not finite</extra>",
        )
    ]


def _spelled(value: float) -> str:
    return "NaN" if np.isnan(value) else "+∞" if value > 0 else "−∞"
