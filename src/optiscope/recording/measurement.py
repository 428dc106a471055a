"""What an adapter hands over for one step, and how many steps of it become columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from optiscope.recording.pending import Pending
from optiscope.recording.plan import Plan
from optiscope.recording.reductions import Reduced


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The reductions of one step of one optimizer."""

    values: Pending[Float[np.ndarray, "reductions tensors"]]
    """float64, rows in the order of `Plan.reductions`; resolved on the writer thread."""
    present: tuple[bool, ...] | None = None
    """Whether each tensor had a gradient; None when all had."""
    histograms: Pending[dict[str, Int64[np.ndarray, "tensors bins+1"]]] | None = None
    """For each kind the counts over the fixed bins, and in the last column the elements that are not finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The names that go with the columns of one optimizer's series, and the sizes of its tensors."""

    tensors: tuple[str, ...]
    """Names of the parameter tensors."""
    sizes: Float[np.ndarray, " tensors"]
    """Number of elements of each."""
    groups: tuple[str, ...]
    """Names of the parameter groups."""


def columns_of(
    plan: Plan, labels: Labels, measurements: Sequence[Measurement]
) -> dict[str, Float[np.ndarray, "rows ..."]]:
    """The columns of measurements that share a plan: each quantity per tensor, and "<name>/global" for all tensors."""
    stacked = np.stack([np.asarray(measurement.values.resolve(), dtype=np.float64) for measurement in measurements])
    everywhere = (True,) * len(labels.tensors)
    present: Bool[np.ndarray, "rows tensors"] = np.array(
        [everywhere if measurement.present is None else measurement.present for measurement in measurements], dtype=bool
    )
    reduced = Reduced(
        values={reduction: stacked[:, index] for index, reduction in enumerate(plan.reductions)},
        present=present,
        sizes=labels.sizes,
    )
    columns: dict[str, Float[np.ndarray, "rows ..."]] = {}
    # Infinite and undefined results are data: x/0 for a layer of zeros, NaN for one whose gradient is.
    with np.errstate(all="ignore"):
        for quantity in plan.quantities:
            columns[quantity.name] = quantity.per_tensor(reduced)
            columns[f"{quantity.name}/global"] = quantity.whole(reduced)
    return columns
