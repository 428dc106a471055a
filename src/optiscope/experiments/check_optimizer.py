"""Whether an optimizer does what a training loop expects of it: a report that names what fails, and how to mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from optiscope.errors import ArgumentError, MissingDependency

if TYPE_CHECKING:
    from optiscope.experiments.optimizer_checks import Verdict

Outcome = Literal["passed", "noted", "failed", "skipped"]
_OUTCOMES: tuple[Outcome, ...] = ("passed", "noted", "failed", "skipped")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was tried."""

    name: str
    """What was tried, in a few words."""
    outcome: Outcome
    """"noted" when it is no fault but something to know; "skipped" when the optimizer does not offer it, or there was
    nothing to compare with."""
    found: str
    """What happened."""
    mend: str = ""
    """What to do about it, if anything."""


@dataclass(frozen=True, kw_only=True)
class OptimizerReport:
    """What `check_optimizer` found; as text it is a table."""

    optimizer: str
    """Name of the optimizer."""
    checks: tuple[Check, ...]
    """Everything that was tried, in order."""

    @property
    def passed(self) -> bool:
        """Whether nothing failed; what is only noted does not count."""
        return not self.failures

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.outcome == "failed")

    def __getitem__(self, name: str) -> Check:
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(name)

    def __str__(self) -> str:
        counts = Counter(check.outcome for check in self.checks)
        summary = ", ".join(f"{counts[outcome]} {outcome}" for outcome in _OUTCOMES if counts[outcome])
        width = max(len(check.name) for check in self.checks)
        lines = [f"{self.optimizer}: {summary}"]
        for check in self.checks:
            lines.append(f"  {check.outcome:7}  {check.name:{width}}  {check.found}")
            if check.mend:
                lines.append(f"  {'':7}  {'':{width}}  → {check.mend}")
        return "\n".join(lines)


def check_optimizer(
    optimizer: object,
    *,
    reference: object | None = None,
    tolerance: float = 1e-6,
    **settings: Any,
) -> OptimizerReport:
    """Try out an optimizer, and report what fails and how to mend it. It takes about a second.

        print(osc.check_optimizer(MyOptimizer, learning_rate=0.01, reference="torch.SGD(lr=0.01)"))

    Tried are: descent on a parabola and on Rosenbrock's valley, equality with a reference, parameters without a
    gradient, `zero_grad`, gradients left as they are, sparse and NaN gradients, float16 and bfloat16, parameter groups,
    saving and loading of the state, and closures. What is no fault but good to know, such as a NaN that stays where it
    came in, is "noted".

    Args:
        optimizer: a name such as "adam", "torch.Adam" or one that was registered; a rule, a chain, an object with
            `init` and `update`; a PyTorch optimizer class, or any class or function that makes an object with `step`
            from a list of parameters.
        reference: what it should equal, in any of these forms; None to leave that out.
        tolerance: greatest difference from the reference, relative to the greatest parameter, after 20 steps of
            training in float64.
        settings: of `optimizer`.

    Raises `ArgumentError` for what is no optimizer, `UnknownName` for an unknown name or setting, and
    `MissingDependency` without PyTorch. An exception in the optimizer itself is a finding, and is not passed on.
    """
    if not tolerance > 0:
        raise ArgumentError(f"tolerance is a number above 0. Received: {tolerance!r}.")
    try:
        from optiscope.experiments import optimizer_checks
        from optiscope.experiments.optimizer_subject import subject_of
    except MissingDependency:
        raise
    except ImportError as error:
        raise MissingDependency.of("torch", purpose="Checking an optimizer", extra="torch") from error

    subject = subject_of(optimizer, settings)
    other = None if reference is None else subject_of(reference, {})
    tried: list[tuple[str, Callable[[], Verdict]]] = [
        ("descent on a parabola", lambda: optimizer_checks.descends(subject, "sphere")),
        ("descent on Rosenbrock", lambda: optimizer_checks.descends(subject, "rosenbrock")),
        ("equals the reference", lambda: optimizer_checks.equals(subject, other, tolerance)),
        ("missing gradients", lambda: optimizer_checks.bears_missing_gradients(subject)),
        ("zero_grad", lambda: optimizer_checks.clears_gradients(subject)),
        ("gradients unchanged", lambda: optimizer_checks.leaves_gradients(subject)),
        ("sparse gradients", lambda: optimizer_checks.bears_sparse_gradients(subject)),
        ("NaN gradients", lambda: optimizer_checks.bears_nan(subject)),
        ("float16", lambda: optimizer_checks.keeps_precision(subject, "float16")),
        ("bfloat16", lambda: optimizer_checks.keeps_precision(subject, "bfloat16")),
        ("parameter groups", lambda: optimizer_checks.has_groups(subject)),
        ("saved state", lambda: optimizer_checks.continues(subject)),
        ("closure", lambda: optimizer_checks.calls_closure(subject)),
    ]
    return OptimizerReport(optimizer=subject.name, checks=tuple(_tried(name, one) for name, one in tried))


def _tried(name: str, check: Callable[[], Verdict]) -> Check:
    try:
        outcome, found, mend = check()
    except Exception as error:
        return Check(
            name=name,
            outcome="failed",
            found=f"raised {type(error).__name__}: {error}",
            mend="Find where it is raised by doing the same in a loop of your own.",
        )
    return Check(name=name, outcome=outcome, found=found, mend=mend)
