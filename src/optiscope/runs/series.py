"""What a run hands out: series of numbers over steps, and series of histograms."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Int64
from numpy.typing import NDArray

from optiscope.errors import UnknownName


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """One recorded quantity over the steps of a run.

    A row is one recording. Rows are in the order in which they were recorded; `steps` may repeat
    (several values logged between two optimizer steps) and may have gaps (thinned by the budget or the schedule).
    NaN and infinity are data and are kept.
    """

    name: str
    """Name in the run, such as "loss", "gradient_norm" or "gradient_norm/global"."""
    steps: Int64[np.ndarray, " rows"]
    """Optimizer steps completed when the row was recorded."""
    seconds: Float[np.ndarray, " rows"]
    """Time since the run began, in seconds."""
    values: Float[np.ndarray, " rows"] | Float[np.ndarray, "rows labels"]
    """One number a row, or one per label."""
    labels: tuple[str, ...] = ()
    """Names of the columns of `values` (parameters or parameter groups); empty when `values` is one-dimensional."""
    epochs: Float[np.ndarray, " rows"] | None = None
    """Epoch of each row, or None when the run never named one. NaN in rows that had none."""
    samples: Float[np.ndarray, " rows"] | None = None
    """Samples seen at each row, or None when the run never said. NaN in rows that had none."""
    run_name: str = ""
    """Name of the run that the series belongs to."""

    def __repr__(self) -> str:
        of = f" of {self.run_name!r}" if self.run_name else ""
        by = f" × {len(self.labels)} labels" if self.labels else ""
        span = f", steps {self.steps[0]} to {self.steps[-1]}" if len(self) else ""
        return f"<Series {self.name!r}{of}: {len(self)} rows{by}{span}>"

    def __len__(self) -> int:
        return len(self.steps)

    def timeline(self, unit: str) -> NDArray[np.generic]:
        """The position of each row on the timeline `unit`: "step", "epoch", "samples" or "seconds".

        Raises `UnknownName` for any other unit, and for a timeline that the run does not have.
        """
        present: dict[str, NDArray[np.generic] | None] = {
            "step": self.steps,
            "seconds": self.seconds,
            "epoch": self.epochs,
            "samples": self.samples,
        }
        chosen = present.get(unit)
        if chosen is None:
            raise UnknownName.among(
                unit,
                [name for name, column in present.items() if column is not None],
                kind=f"timeline of {self.name!r}",
            )
        return chosen

    def column(self, label: str) -> Series:
        """The one-dimensional series of one label. Raises `UnknownName` when there is no such label."""
        if label not in self.labels:
            raise UnknownName.among(label, self.labels, kind=f"label of {self.name!r}")
        return replace(self, name=f"{self.name}/{label}", values=self.values[:, self.labels.index(label)], labels=())


@dataclass(frozen=True, kw_only=True, eq=False)
class HistogramSeries:
    """Histograms of the elements of each parameter tensor over the steps of a run.

    The bins are fixed and spaced evenly in the logarithm of the magnitude, the same for every run, so that
    histograms of different steps, layers and runs can be added and compared:
    `edges` runs from the most negative to the most positive, with one bin around zero. Elements that are not finite
    are in `nonfinite`, not in `counts`; elements beyond the outermost edges are in the outermost bins.
    """

    name: str
    """"weights", "gradients" or "updates"."""
    steps: Int64[np.ndarray, " rows"]
    """Optimizer steps completed at each row."""
    seconds: Float[np.ndarray, " rows"]
    """Time since the run began, in seconds."""
    counts: Int64[np.ndarray, "rows labels bins"]
    """Elements in each bin."""
    nonfinite: Int64[np.ndarray, "rows labels"]
    """Elements that are NaN or infinite."""
    edges: Float[np.ndarray, " bins+1"]
    """Bin edges, ascending, symmetric about zero."""
    labels: tuple[str, ...] = field(default=())
    """Names of the parameter tensors."""
    run_name: str = ""
    """Name of the run that the series belongs to."""

    def __repr__(self) -> str:
        of = f" of {self.run_name!r}" if self.run_name else ""
        return f"<HistogramSeries {self.name!r}{of}: {len(self)} rows × {len(self.labels)} labels>"

    def __len__(self) -> int:
        return len(self.steps)
