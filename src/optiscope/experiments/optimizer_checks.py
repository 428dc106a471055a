"""The things that `check_optimizer` tries."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from optiscope.experiments.check_optimizer import Outcome
from optiscope.experiments.optimizer_subject import Subject
from optiscope.problems.functions.registry import function

Verdict: TypeAlias = tuple[Outcome, str, str]
"""How it ended, what happened, and how to mend it."""

_STEPS = 300
"""For descents: enough for a learning rate of 0.001."""
_SLOWER = (1.0, 10.0, 100.0, 1000.0)
_STATE_STEPS = 5


def descends(subject: Subject, problem: str) -> Verdict:
    """Whether the loss falls, if need be with a smaller learning rate."""
    what = function(problem)
    start = np.asarray(what.start, dtype=np.float64)
    tried: list[str] = []
    for slower in _SLOWER:
        losses = subject.losses(what, start, _STEPS, slower)
        if losses is None:
            break
        how = "" if slower == 1 else f" with the learning rate / {slower:g}"
        if np.isfinite(losses).all() and losses[-1] < losses[0]:
            before = f" ({tried[0]})" if tried else ""
            return "passed", f"loss {losses[0]:.3g} → {losses[-1]:.3g} in {_STEPS} steps{how}{before}", ""
        if np.isfinite(losses).all() and losses.max() == losses.min():
            return (
                "failed",
                f"the loss stays at {losses[0]:.3g}: nothing moves",
                "Check that step changes the parameters in place, and that the learning rate is not 0.",
            )
        end = f"{losses[-1]:.3g}" if np.isfinite(losses[-1]) else "infinity"
        tried.append(f"it rises from {losses[0]:.3g} to {end}{how}")
    return (
        "failed",
        "; ".join(tried),
        (
            "The update is added to the parameters, so it points against the gradient: check its sign. "
            "If it does, take a smaller learning rate."
        ),
    )


def equals(subject: Subject, reference: Subject | None, tolerance: float) -> Verdict:
    """Whether both train a small network in the same way."""
    if reference is None:
        return "skipped", "no reference was given", ""
    steps = 20
    ways = [_train(one, steps) for one in (subject, reference)]
    worst, at = 0.0, 0
    for step, (own, other) in enumerate(zip(*ways, strict=True), start=1):
        difference = float((own - other).abs().max() / other.abs().max())
        # Not `<=`, so that NaN is noticed.
        if not difference <= tolerance:
            return (
                "failed",
                f"differs from {reference.name} by {difference:.2g} of the greatest parameter after step {step}",
                (
                    "After the first step: compare the formula and the learning rate. Later: compare what is "
                    "remembered, and whether counting begins at 0 or 1."
                ),
            )
        if difference >= worst:
            worst, at = difference, step
    return "passed", f"within {worst:.2g} of {reference.name} over {steps} steps (at step {at})", ""


def bears_missing_gradients(subject: Subject) -> Verdict:
    """Whether parameters without a gradient are passed over, also when none has one."""
    still, moving = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    optimizer = subject.make([still, moving])
    mend = "In zero_grad and step, pass over parameters whose grad is None."
    if callable(getattr(optimizer, "zero_grad", None)):
        optimizer.zero_grad()
    try:
        subject.step(optimizer, [still, moving], [None, None])
        subject.step(optimizer, [still, moving], [None, torch.ones(2, 2)])
    except Exception as error:
        return "failed", f"raised {type(error).__name__}: {error}", mend
    if not torch.equal(still, torch.ones(2, 2)):
        return "failed", "a parameter without a gradient was changed", mend
    if torch.equal(moving, torch.ones(2, 2)):
        return "failed", "the parameter with a gradient was not changed", mend
    return "passed", "parameters without a gradient are left alone", ""


def clears_gradients(subject: Subject) -> Verdict:
    """Whether `zero_grad` leaves no gradient."""
    parameter, without = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    optimizer = subject.make([parameter, without])
    mend = "Set grad to None, or to zero where it is not None, for every parameter."
    if not callable(getattr(optimizer, "zero_grad", None)):
        return "skipped", "there is no zero_grad", "Write one, or derive the class from torch.optim.Optimizer."
    parameter.grad = torch.ones(2, 2)
    optimizer.zero_grad()
    # mypy takes it for set still.
    left: Tensor | None = getattr(parameter, "grad", None)
    if left is not None and bool(left.any()):
        return "failed", "a gradient is left after zero_grad", mend
    return "passed", f"gradients are {'None' if left is None else 'zero'} afterwards", ""


def leaves_gradients(subject: Subject) -> Verdict:
    """Whether `step` leaves the gradients as they are."""
    parameter = nn.Parameter(torch.ones(2, 2))
    optimizer = subject.make([parameter])
    gradient = torch.tensor([[1.0, -2.0], [3.0, 4.0]])
    for _ in range(3):
        subject.step(optimizer, [parameter], [gradient])
        if not torch.equal(gradient, torch.tensor([[1.0, -2.0], [3.0, 4.0]])):
            return (
                "failed",
                "step changed a gradient in place",
                (
                    "Write g = g + λθ, not g += λθ: whoever reads gradients after the step, or accumulates them, gets "
                    "others than the loss has."
                ),
            )
    return "passed", "they are as they were", ""


def bears_sparse_gradients(subject: Subject) -> Verdict:
    """Whether a sparse gradient is used like the dense one, or refused before anything changes."""

    def stepped(sparse: bool) -> Tensor:
        parameter = nn.Parameter(torch.ones(4, 2))
        optimizer = subject.make([parameter])
        dense = torch.zeros(4, 2)
        dense[1] = torch.tensor([1.0, -2.0])
        try:
            subject.step(optimizer, [parameter], [dense.to_sparse(1) if sparse else dense])
        finally:
            kept.append(parameter)
        return parameter.detach()

    kept: list[Tensor] = []
    try:
        own = stepped(True)
    except Exception as error:
        if not torch.equal(kept[-1], torch.ones(4, 2)):
            return (
                "failed",
                f"raised {type(error).__name__} after it had changed the parameter",
                "Look at grad.is_sparse before the first change.",
            )
        return "passed", f"refused: {_first_sentence(error)}", ""
    try:
        dense = stepped(False)
    except Exception as error:
        return "passed", f"taken; dense ones are refused: {_first_sentence(error)}", ""
    if not torch.allclose(own, dense, rtol=1e-5):
        if torch.allclose(own[1], dense[1], rtol=1e-5):
            return "passed", "taken; rows without a gradient are left alone", ""
        return (
            "failed",
            "a sparse gradient moves the parameter otherwise than the same gradient as a dense tensor",
            "Use grad.to_dense(), or raise an error when grad.is_sparse.",
        )
    return "passed", "taken, with the same result as dense ones", ""


def bears_nan(subject: Subject) -> Verdict:
    """Where a NaN in one gradient gets to: not to other tensors, unless each step is made from all of them."""
    struck, other = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    optimizer = subject.make([struck, other])
    good, bad = torch.ones(2, 2), torch.ones(2, 2)
    bad[0, 0] = torch.nan
    try:
        subject.step(optimizer, [struck, other], [bad, good.clone()])
        # What is remembered may spread it in the step after.
        subject.step(optimizer, [struck, other], [good.clone(), good.clone()])
    except Exception as error:
        return "passed", f"refused: {_first_sentence(error)}", ""
    if struck.isfinite().all() and other.isfinite().all():
        return "passed", "a NaN does not reach the parameters", ""
    skip = "Skip steps with such gradients, as torch.amp.GradScaler does."
    if not other.isfinite().all():
        if _joins_tensors(subject):
            return "noted", "a NaN in one gradient makes all parameters NaN, as all gradients make each step", skip
        return (
            "failed",
            "a NaN in one gradient makes other parameters NaN, whose steps do not depend on it otherwise",
            "Treat each parameter by itself, or refuse gradients that are not finite before the first change.",
        )
    if int(struck.isnan().sum()) == 1:
        return "noted", "a NaN stays in its coordinate, for good", skip
    return "noted", "a NaN spreads over its tensor, not to others", skip


def _joins_tensors(subject: Subject) -> bool:
    """Whether the gradient of one parameter matters for the step of another, as with a norm over all."""
    ends = []
    for gradient in (torch.ones(2, 2), torch.tensor([[5.0, -3.0], [0.5, 40.0]])):
        changed, other = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
        optimizer = subject.make([changed, other])
        for _ in range(3):
            subject.step(optimizer, [changed, other], [gradient.clone(), torch.ones(2, 2)])
        ends.append(other.detach())
    return not torch.equal(*ends)


def keeps_precision(subject: Subject, name: str) -> Verdict:
    """Whether parameters of half precision stay so, and finite."""
    dtype: torch.dtype = getattr(torch, name)
    parameter = nn.Parameter(torch.ones(2, 2, dtype=dtype))
    optimizer = subject.make([parameter])
    mend = f"Make every array of the state like the parameter; numbers such as ε must not be 0 in {name}."
    for _ in range(3):
        subject.step(optimizer, [parameter], [torch.tensor([[0.5, -2.0], [0.25, 1.0]], dtype=dtype)])
        if parameter.dtype != dtype:
            return "failed", f"the parameter became {parameter.dtype}", mend
    if not parameter.isfinite().all():
        return "failed", "the parameter became NaN or infinite", mend
    untouched = nn.Parameter(torch.ones(2, 2, dtype=dtype))
    optimizer = subject.make([untouched])
    subject.step(optimizer, [untouched], [torch.tensor([[0.0, 1.0], [1.0, 1.0]], dtype=dtype)])
    if not untouched.isfinite().all():
        return (
            "noted",
            f"stays {name}, but a gradient of exactly 0 gives NaN, as ε rounds to 0",
            "Keep the weights in float32, or take an ε that the type can hold.",
        )
    return "passed", f"stays {name}", ""


def has_groups(subject: Subject) -> Verdict:
    """Whether groups have settings of their own."""
    pair = [nn.Parameter(torch.ones(2, 2, dtype=torch.float64)) for _ in range(2)]
    try:
        optimizer = subject.make([{"params": [one]} for one in pair])
        groups = optimizer.param_groups
        has_rates = len(groups) == 2 and all("lr" in group for group in groups)
    except Exception as error:
        return "skipped", f"takes no groups: {_first_sentence(error)}", _unless_derived(subject)
    if not has_rates:
        return "skipped", "its groups have no lr", 'Put the learning rate into the groups as "lr", for schedulers.'
    groups[1]["lr"] = groups[1]["lr"] / 2
    if groups[0]["lr"] == groups[1]["lr"]:
        return (
            "failed",
            "setting lr of one group changes the other",
            "Give each group a dict of its own: the same one is in all of them.",
        )
    # Some rules make the first step without the learning rate.
    for _ in range(3):
        subject.step(optimizer, pair, [torch.ones(2, 2, dtype=torch.float64)] * 2)
    if torch.equal(*pair):
        return (
            "failed",
            "a group with half the learning rate moves the same",
            'Read the settings from the group in every step: group["lr"], not self.lr.',
        )
    return "passed", "each group has its own settings", ""


def continues(subject: Subject) -> Verdict:
    """Whether training goes on bit for bit after the state was saved and loaded."""
    model = _network()
    optimizer = subject.make(list(model.parameters()))
    if not all(callable(getattr(optimizer, method, None)) for method in ("state_dict", "load_state_dict")):
        return "skipped", "there is no state_dict and load_state_dict", _unless_derived(subject)
    with _same_random_numbers():
        _advance(subject, optimizer, model, _STATE_STEPS)
    other = copy.deepcopy(model)
    again = subject.make(list(other.parameters()))
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    ways = []
    for one, trained in ((optimizer, model), (again, other)):
        with _same_random_numbers():
            ways.append(_advance(subject, one, trained, _STATE_STEPS))
    for step, (own, loaded) in enumerate(zip(*ways, strict=True), start=1):
        if not torch.equal(own, loaded):
            return (
                "failed",
                f"after loading, training differs from step {step} on by up to {float((own - loaded).abs().max()):.2g}",
                "Keep everything that is remembered between steps, counts too, in the state, not in attributes.",
            )
    return "passed", "training goes on bit for bit", ""


def calls_closure(subject: Subject) -> Verdict:
    """Whether a closure is called with gradients enabled and its loss returned."""
    if not subject.takes_closure:
        return "skipped", "step takes no closure", "Write step(self, closure=None), to work with every training loop."
    parameter = nn.Parameter(torch.full((2, 2), 2.0))
    optimizer = subject.make([parameter])
    enabled: list[bool] = []

    def closure() -> Tensor:
        enabled.append(torch.is_grad_enabled())
        parameter.grad = None
        with torch.enable_grad():
            loss = (parameter**2).sum()
            loss.backward()  # type: ignore[no-untyped-call]
        return loss

    closure()
    enabled.clear()
    loss = subject.call(optimizer, closure)
    mend = "Write: with torch.enable_grad(): loss = closure() at the beginning of step, and return loss at its end."
    if not enabled:
        return "failed", "step does not call the closure", mend
    if not all(enabled):
        return "failed", "step calls the closure with gradients disabled", mend
    if loss is None:
        return "failed", "step does not return the loss", mend
    return "passed", "called, and its loss returned", ""


def _network() -> nn.Module:
    with _same_random_numbers():
        return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)).to("cpu", torch.float64)


@contextmanager
def _same_random_numbers() -> Iterator[None]:
    """For optimizers that draw some."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(1)
        yield


def _train(subject: Subject, steps: int) -> list[Tensor]:
    model = _network()
    optimizer = subject.make(list(model.parameters()))
    with _same_random_numbers():
        return _advance(subject, optimizer, model, steps)


def _advance(subject: Subject, optimizer: Any, model: nn.Module, steps: int) -> list[Tensor]:
    """Train on fixed data; all parameters in one vector after each step."""
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(16, 5, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (16,), generator=generator)

    def closure() -> Tensor:
        for parameter in model.parameters():
            parameter.grad = None
        with torch.enable_grad():
            loss = nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()  # type: ignore[no-untyped-call]
        return loss

    way = []
    for _ in range(steps):
        closure()
        subject.call(optimizer, closure if subject.needs_closure else None)
        way.append(torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()]))
    return way


def _unless_derived(subject: Subject) -> str:
    optimizer = subject.make([nn.Parameter(torch.ones(2, 2))])
    return "" if isinstance(optimizer, torch.optim.Optimizer) else "Derive the class from torch.optim.Optimizer."


def _first_sentence(error: Exception) -> str:
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return line.partition(". ")[0]
