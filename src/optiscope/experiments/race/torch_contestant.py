"""PyTorch optimizers in a race: by name, as a class, or anything else that makes one for a list of parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from optiscope.errors import ArgumentError
from optiscope.experiments.race.contestant import Settings
from optiscope.experiments.race.divergence import ends_outside
from optiscope.experiments.race.simulation import Batch, Record, Rows, Seeds, Summary, settled_steps
from optiscope.optimizers.aliases import SHORT_NAMES
from optiscope.optimizers.search_space import LEARNING_RATE, Range
from optiscope.problems.functions.function import Function


@dataclass(frozen=True, kw_only=True, eq=False)
class TorchContestant:
    """An optimizer that changes PyTorch parameters; it runs one path at a time."""

    make: Callable[..., Any]
    """Makes the optimizer from a list of parameters and `fixed`."""
    label: str
    """Name for legends."""
    name: str
    """Name by which it was asked for."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """What is known of its settings: those that tuning starts from, and those that were given."""
    fixed: Mapping[str, object] = field(default_factory=dict)
    """The settings that are passed to `make`."""
    search: Mapping[str, Range] = field(default_factory=dict)
    """The settings that tuning may choose."""
    given: tuple[str, ...] = ()
    """Names of the settings that were given by whoever entered it."""

    @property
    def curvature(self) -> str:
        """PyTorch optimizers are given gradients only; some find out more by evaluating more of them."""
        return "none"

    def without_search(self) -> TorchContestant:
        """The same with nothing to tune."""
        return replace(self, search={})

    def with_settings(self, settings: Mapping[str, float]) -> TorchContestant:
        """The same with some settings fixed to these numbers."""
        return replace(self, settings={**self.settings, **settings}, fixed={**self.fixed, **settings})

    def record(self, problem: Function, starts: Batch, *, steps: int, seeds: Seeds) -> Record:
        """Run from each start and keep everything."""
        shape = (steps + 1, *starts.shape)
        points, rates = np.full(shape, np.nan), np.full(shape, np.nan)
        internals: dict[str, Float[np.ndarray, "time rows parameters"]] = {}
        evaluations = np.zeros(len(starts), dtype=np.int64)
        for row, (start, seed) in enumerate(zip(starts, seeds, strict=True)):
            run = self._run(problem, start, steps=steps, seed=int(seed), bound=np.inf)
            points[:, row], rates[:, row] = run.points, run.effective_rates
            evaluations[row] = run.evaluations
            for name, value in run.internals.items():
                internals.setdefault(name, np.full(shape, np.nan))[:, row] = value
        return Record(points=points, effective_rates=rates, internals=internals, evaluations=evaluations)

    def summarise(
        self,
        problem: Function,
        starts: Batch,
        *,
        steps: int,
        seeds: Seeds,
        bound: float,
        settings: Settings,
        target: float | Rows | None,
    ) -> Summary:
        """Run from each start with the settings of its row, and keep only how it ended."""
        ends, losses = np.empty_like(starts), np.full(len(starts), np.inf)
        reached, diverged = np.full(len(starts), np.inf), np.zeros(len(starts), dtype=bool)
        last = settled_steps(steps)
        targets = np.broadcast_to(np.inf if target is None else target, len(starts))
        for row, (start, seed) in enumerate(zip(starts, seeds, strict=True)):
            own = self.with_settings({name: float(values[row]) for name, values in settings.items()})
            points = own._run(problem, start, steps=steps, seed=int(seed), bound=bound).points
            ends[row] = points[-1]
            with np.errstate(all="ignore"):
                inside = (np.abs(points) <= bound).all(axis=-1)
                along = problem.value(points if target is not None else points[-last:])
            diverged[row] = not inside.all()
            if not diverged[row] and not ends_outside(problem, points[-1]):
                losses[row] = along[-last:].mean()
            if target is not None:
                arrived = np.flatnonzero((along <= targets[row]) & np.logical_and.accumulate(inside))
                reached[row] = arrived[0] if len(arrived) else np.inf
        return Summary(
            ends=ends,
            losses=np.where(np.isnan(losses), np.inf, losses),
            diverged=diverged,
            reached=None if target is None else reached,
        )

    def _run(
        self, problem: Function, start: Float[np.ndarray, " parameters"], *, steps: int, seed: int, bound: float
    ) -> Any:
        from optiscope.frameworks.pytorch.foreign import run_foreign

        def factory(parameters: list[Any]) -> Any:
            return self.make(parameters, **self.fixed)

        factory.__name__ = self.label
        return run_foreign(problem, factory, start, steps=steps, seed=seed, bound=bound)


def torch_contestant_by_name(text: str) -> TorchContestant:
    """The optimizer of PyTorch or of `pytorch_optimizer` with that name; see `foreign_factory`."""
    from optiscope.frameworks.pytorch.foreign import foreign_factory

    found = foreign_factory(text)
    ours = {"learning_rate": found.defaults.get("lr")}
    betas = found.defaults.get("betas") or ()
    ours |= {f"beta{number}": beta for number, beta in enumerate(betas, start=1)}
    given = {SHORT_NAMES.get(name, name): value for name, value in found.settings.items()}
    taken = set(given)
    taken |= {f"beta{number}" for number in (1, 2, 3)} if "betas" in given else set()
    known = {name: given.get(name, found.defaults.get(name, ours.get(name))) for name in found.search}

    def make(parameters: list[Any], **settings: Any) -> Any:
        return found.with_settings(**settings)(parameters)

    return TorchContestant(
        make=make,
        label=found.name,
        name=found.name,
        settings={name: value for name, value in {**known, **given}.items() if value is not None},
        search={name: each for name, each in found.search.items() if name not in taken and known[name] is not None},
        given=tuple(given),
    )


def torch_contestant_of(
    factory: Callable[..., Any], *, label: str | None = None, given: Mapping[str, object] | None = None
) -> TorchContestant:
    """A class or function that makes an optimizer with `zero_grad` and `step` from a list of parameters, and `given`.

    Its setting `lr` or `learning_rate`, if it has one, can be tuned.
    """
    name = str(label or getattr(factory, "__name__", type(factory).__name__))
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"An optimizer is a name, a rule, or a class that is made from a list of parameters. Received: {factory!r}."
        ) from error
    fixed = dict(given or {})
    rates = {
        one: parameters[one].default
        for one in ("learning_rate", "lr")
        if one in parameters and isinstance(parameters[one].default, int | float) and parameters[one].default > 0
    }
    return TorchContestant(
        make=factory,
        label=name,
        name=name,
        settings={**rates, **fixed},
        fixed=fixed,
        search={rate: LEARNING_RATE for rate in rates if rate not in fixed},
        given=tuple(fixed),
    )
