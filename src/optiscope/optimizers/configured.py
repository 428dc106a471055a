"""What rules and transformations share: settings that are checked, and copied with changes."""

from __future__ import annotations

import copy
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, final

from optiscope.construction import setting_names
from optiscope.optimizers.arrays import Array
from optiscope.optimizers.limits import Choice, Limit
from optiscope.optimizers.search_space import Range
from optiscope.optimizers.settings import check_settings, differing_settings


@dataclass(frozen=True, kw_only=True, eq=False)
class Configured(ABC):
    """A frozen dataclass whose fields are settings: a `Rule`, or a `Transformation` as part of a chain."""

    name: ClassVar[str]
    """Name by which it is asked for, such as "adam"."""
    title: ClassVar[str]
    """Name for legends and tables, such as "Adam"."""
    reference: ClassVar[str]
    """What the tests verify it against, step by step: "torch.optim.Adam", "pytorch_optimizer.Lion", "the paper"."""
    search: ClassVar[Mapping[str, Range]] = {}
    """The main settings, with the range in which tuning looks for each."""
    limits: ClassVar[Mapping[str, Limit | Choice]] = {}
    """What its settings may be, beyond those whose name says it everywhere."""

    batch_axes: int = field(default=0, repr=False, metadata={"internal": True})
    """Number of leading axes along which independent trajectories lie. 0 for real networks."""
    first_tensor: int = field(default=0, repr=False, metadata={"internal": True})
    """How many parameter tensors of the model come before those that it sees: 0 except in later groups."""

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by name."""
        return {name: getattr(self, name) for name in setting_names(type(self))}

    def differing_settings(self) -> tuple[str, ...]:
        """Names of the settings that are not at the defaults of the class. A schedule counts as given."""
        return differing_settings(self)

    @final
    def check(self) -> None:
        """Raise `ArgumentError` for settings that a new one could not be made with; `with_settings` does not look."""
        # On a copy: some find out more about themselves there.
        copy.copy(self).__post_init__()

    def with_settings(self, **settings: Any) -> Self:
        """A copy with other settings, not checked: a schedule may well reach a learning rate of zero."""
        changed = copy.copy(self)
        for name, value in settings.items():
            object.__setattr__(changed, name, value)
        return changed

    @final
    def tensor_axes(self, array: Array) -> tuple[int, ...]:
        """The axes of one parameter tensor: all after the batch. For sums in "rowwise" rules, with `keepdims=True`."""
        return tuple(range(self.batch_axes, array.ndim))
