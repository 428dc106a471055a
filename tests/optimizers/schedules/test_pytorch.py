"""Every schedule that PyTorch has too, driven beside PyTorch's for hundreds of steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from optiscope.optimizers.schedules.constant import Constant
from optiscope.optimizers.schedules.cosine import Cosine
from optiscope.optimizers.schedules.cosine_restarts import CosineRestarts
from optiscope.optimizers.schedules.cyclic import Cyclic
from optiscope.optimizers.schedules.exponential import Exponential
from optiscope.optimizers.schedules.join import Join
from optiscope.optimizers.schedules.linear import Linear
from optiscope.optimizers.schedules.multi_step import MultiStep
from optiscope.optimizers.schedules.multiply import Multiply
from optiscope.optimizers.schedules.one_cycle import OneCycle
from optiscope.optimizers.schedules.polynomial import Polynomial
from optiscope.optimizers.schedules.reduce_on_plateau import ReduceOnPlateau
from optiscope.optimizers.schedules.registry import values
from optiscope.optimizers.schedules.schedule import Schedule
from optiscope.optimizers.schedules.step import Step
from optiscope.optimizers.schedules.warm_up import WarmUp
from optiscope.optimizers.schedules.warmup_stable_decay import WarmupStableDecay

STEPS = 250

some = hypothesis_settings(max_examples=20)
starts = st.floats(1e-4, 10)
lengths = st.integers(1, 300)
factors = st.floats(0.5, 1.0)


class _Scheduled:
    """A PyTorch optimizer and the learning rates and momenta that its scheduler gives it."""

    def __init__(self, start: float):
        self.optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=start, momentum=0.5)

    def run(self, scheduler: lr_scheduler.LRScheduler, steps: int, *, setting: str = "lr") -> np.ndarray:
        numbers = []
        for _ in range(steps):
            numbers.append(float(self.optimizer.param_groups[0][setting]))
            self.optimizer.step()
            scheduler.step()
        return np.array(numbers)


def assert_equal_to_pytorch(
    schedule: Schedule,
    make: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler],
    *,
    start: float,
    steps: int = STEPS,
    setting: str = "lr",
) -> None:
    scheduled = _Scheduled(start)
    theirs = scheduled.run(make(scheduled.optimizer), steps, setting=setting)
    # PyTorch multiplies on from step to step, so its rounding errors add up.
    np.testing.assert_allclose(values(schedule, steps), theirs, rtol=1e-11, atol=1e-12 * np.abs(theirs).max())


@some
@given(start=starts, every=lengths, factor=factors)
def test_step_is_pytorchs(start, every, factor):
    assert_equal_to_pytorch(
        Step(start=start, every=every, factor=factor), lambda o: lr_scheduler.StepLR(o, every, factor), start=start
    )


@some
@given(start=starts, milestones=st.sets(st.integers(1, 260), min_size=1, max_size=6), factor=factors)
def test_multi_step_is_pytorchs(start, milestones, factor):
    at = tuple(sorted(milestones))
    assert_equal_to_pytorch(
        MultiStep(start=start, milestones=at, factor=factor),
        lambda o: lr_scheduler.MultiStepLR(o, list(at), factor),
        start=start,
    )


@some
@given(start=starts, factor=st.floats(0.9, 1.01))
def test_exponential_is_pytorchs(start, factor):
    assert_equal_to_pytorch(
        Exponential(start=start, factor=factor), lambda o: lr_scheduler.ExponentialLR(o, factor), start=start
    )


@some
@given(start=starts, steps=lengths, power=st.floats(0.3, 4))
def test_polynomial_is_pytorchs(start, steps, power):
    assert_equal_to_pytorch(
        Polynomial(start=start, steps=steps, power=power),
        lambda o: lr_scheduler.PolynomialLR(o, total_iters=steps, power=power),
        start=start,
    )


@some
@given(start=starts, steps=lengths, first=st.floats(0.01, 1), last=st.floats(0.01, 1))
def test_linear_is_pytorchs(start, steps, first, last):
    assert_equal_to_pytorch(
        Linear(start=start * first, end=start * last, steps=steps),
        lambda o: lr_scheduler.LinearLR(o, start_factor=first, end_factor=last, total_iters=steps),
        start=start,
    )


@some
@given(start=starts, end=st.floats(0, 1e-3), steps=st.integers(2, 400))
def test_cosine_that_returns_is_pytorchs(start, end, steps):
    assert_equal_to_pytorch(
        Cosine(start=start, end=end, steps=steps, returns=True),
        lambda o: lr_scheduler.CosineAnnealingLR(o, steps, eta_min=end),
        start=start,
    )


@some
@given(start=starts, end=st.floats(0, 1e-3), steps=st.integers(200, 400))
def test_cosine_is_pytorchs_until_its_end(start, end, steps):
    assert_equal_to_pytorch(
        Cosine(start=start, end=end, steps=steps),
        lambda o: lr_scheduler.CosineAnnealingLR(o, steps, eta_min=end),
        start=start,
        steps=steps + 1,
    )


@some
@given(start=starts, end=st.floats(0, 1e-3), steps=st.integers(1, 80), factor=st.integers(1, 3))
def test_cosine_with_restarts_is_pytorchs(start, end, steps, factor):
    assert_equal_to_pytorch(
        CosineRestarts(start=start, end=end, steps=steps, factor=factor),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, steps, T_mult=factor, eta_min=end),
        start=start,
    )


def _cyclic_lr(optimizer: torch.optim.Optimizer, cyclic: Cyclic, **momenta: float) -> lr_scheduler.CyclicLR:
    return lr_scheduler.CyclicLR(
        optimizer,
        base_lr=cyclic.start,
        max_lr=cyclic.peak,
        step_size_up=cyclic.up,
        step_size_down=cyclic.down,
        mode=cyclic.shape,
        gamma=cyclic.factor,
        **momenta,
    )


cyclics = st.builds(
    Cyclic,
    start=st.floats(1e-4, 0.1),
    peak=st.floats(0.1, 5),
    up=st.integers(1, 60),
    down=st.none() | st.integers(1, 60),
    shape=st.sampled_from(["triangular", "triangular2", "exp_range"]),
    factor=st.floats(0.98, 1.0),
)


@some
@given(cyclic=cyclics)
def test_cyclic_is_pytorchs(cyclic):
    assert_equal_to_pytorch(cyclic, lambda o: _cyclic_lr(o, cyclic), start=cyclic.start)


@some
@given(cyclic=cyclics, low=st.floats(0.5, 0.8), high=st.floats(0.8, 0.99))
def test_the_momentum_of_cyclic_is_pytorchs(cyclic, low, high):
    assert_equal_to_pytorch(
        cyclic.momentum(low=low, high=high),
        lambda o: _cyclic_lr(o, cyclic, base_momentum=low, max_momentum=high),
        start=cyclic.start,
        setting="momentum",
    )


one_cycles = st.fixed_dictionaries(
    {
        "peak": st.floats(0.01, 5),
        "part": st.floats(0.1, 0.45),
        "divisor": st.floats(2, 50),
        "final_divisor": st.floats(10, 1e5),
        "shape": st.sampled_from(["cosine", "linear"]),
        "three_phases": st.booleans(),
    }
)


def _both_one_cycles(
    peak: float, part: float, divisor: float, final_divisor: float, shape: str, three_phases: bool
) -> tuple[OneCycle, Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]]:
    start = peak / divisor
    ours = OneCycle(
        peak=peak,
        steps=STEPS + 1,
        part=part,
        start=start,
        end=start / final_divisor,
        shape=shape,
        three_phases=three_phases,
    )
    return ours, lambda optimizer: lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=peak,
        total_steps=STEPS + 1,
        pct_start=part,
        anneal_strategy={"cosine": "cos", "linear": "linear"}[shape],
        div_factor=divisor,
        final_div_factor=final_divisor,
        three_phase=three_phases,
        base_momentum=0.8,
        max_momentum=0.95,
    )


@some
@given(settings=one_cycles)
def test_one_cycle_is_pytorchs(settings):
    ours, theirs = _both_one_cycles(**settings)
    assert_equal_to_pytorch(ours, theirs, start=1.0)


@some
@given(settings=one_cycles)
def test_the_momentum_of_one_cycle_is_pytorchs(settings):
    ours, theirs = _both_one_cycles(**settings)
    assert_equal_to_pytorch(ours.momentum(low=0.8, high=0.95), theirs, start=1.0, setting="momentum")


def test_the_defaults_of_one_cycle_are_pytorchs():
    assert_equal_to_pytorch(
        OneCycle(peak=0.3, steps=STEPS + 1),
        lambda optimizer: lr_scheduler.OneCycleLR(optimizer, 0.3, total_steps=STEPS + 1),
        start=1.0,
    )


@some
@given(start=starts, share=st.floats(0.01, 1), steps=st.integers(1, 100), after=st.integers(100, 300))
def test_linear_warm_up_is_pytorchs_sequence(start, share, steps, after):
    assert_equal_to_pytorch(
        WarmUp(steps=steps, start_factor=share, then=Polynomial(start=start, steps=after, power=1.5)),
        lambda o: lr_scheduler.SequentialLR(
            o,
            [
                lr_scheduler.LinearLR(o, start_factor=share, total_iters=steps),
                lr_scheduler.PolynomialLR(o, total_iters=after, power=1.5),
            ],
            milestones=[steps],
        ),
        start=start,
    )


@some
@given(start=starts, share=st.floats(0.01, 0.9), steps=st.integers(1, 100))
def test_exponential_warm_up_is_pytorchs_sequence(start, share, steps):
    def theirs(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
        rise = lr_scheduler.LambdaLR(optimizer, lambda step: share ** (1 - step / steps))
        return lr_scheduler.SequentialLR(optimizer, [rise, lr_scheduler.ExponentialLR(optimizer, 0.99)], [steps])

    warm_up = WarmUp(steps=steps, start_factor=share, then=Exponential(start=start, factor=0.99), shape="exponential")
    assert_equal_to_pytorch(warm_up, theirs, start=start)


@some
@given(peak=starts, warm_up=st.integers(1, 60), stable=st.integers(1, 100), decay=st.integers(1, 100))
def test_warm_up_stable_decay_is_pytorchs_sequence(peak, warm_up, stable, decay):
    ours = WarmupStableDecay(peak=peak, warm_up=warm_up, stable=stable, decay=decay, start=peak * 0.1, end=peak * 0.05)

    def theirs(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
        return lr_scheduler.SequentialLR(
            optimizer,
            [
                lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=warm_up),
                lr_scheduler.ConstantLR(optimizer, factor=1.0),
                lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=0.05, total_iters=decay),
            ],
            milestones=[warm_up, warm_up + stable],
        )

    assert_equal_to_pytorch(ours, theirs, start=peak)


@some
@given(start=starts, first=st.integers(1, 100), second=st.integers(1, 100))
def test_join_is_pytorchs_sequence(start, first, second):
    ours = Join(
        schedules=(
            Constant(value=start),
            Step(start=start, every=7, factor=0.9),
            Exponential(start=start, factor=0.98),
        ),
        at=(first, first + second),
    )

    def theirs(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
        parts = [
            lr_scheduler.ConstantLR(optimizer, factor=1.0),
            lr_scheduler.StepLR(optimizer, 7, 0.9),
            lr_scheduler.ExponentialLR(optimizer, 0.98),
        ]
        return lr_scheduler.SequentialLR(optimizer, parts, milestones=[first, first + second])

    assert_equal_to_pytorch(ours, theirs, start=start)


@some
@given(start=starts, steps=lengths, factor=st.floats(0.95, 1))
def test_multiply_is_pytorchs_chained_scheduler(start, steps, factor):
    ours = Multiply(schedules=(Linear(start=0.2, end=1, steps=steps), Exponential(start=start, factor=factor)))

    def theirs(optimizer: torch.optim.Optimizer) -> lr_scheduler.ChainedScheduler:
        rise = lr_scheduler.LinearLR(optimizer, start_factor=0.2, total_iters=steps)
        return lr_scheduler.ChainedScheduler([rise, lr_scheduler.ExponentialLR(optimizer, factor)], optimizer)

    assert_equal_to_pytorch(ours, theirs, start=start)


@some
@given(
    seed=st.integers(0, 10_000),
    factor=st.floats(0.1, 0.9),
    patience=st.integers(0, 8),
    cooldown=st.integers(0, 8),
    threshold=st.sampled_from([0.0, 1e-4, 0.1]),
    comparison=st.sampled_from(["relative", "absolute"]),
    least=st.sampled_from([0.0, 0.01]),
)
def test_reduce_on_plateau_is_pytorchs_in_every_row(seed, factor, patience, cooldown, threshold, comparison, least):
    random = np.random.default_rng(seed)
    losses = np.exp(-np.arange(STEPS) / 60)[:, None] * (1 + 0.3 * random.standard_normal((STEPS, 3)))
    losses[40, 1], losses[90, 2] = np.nan, -np.inf
    ours = ReduceOnPlateau(
        value=0.5,
        factor=factor,
        patience=patience,
        cooldown=cooldown,
        threshold=threshold,
        comparison=comparison,
        least=least,
    )
    used = ours.values(losses)
    for row in range(3):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
        theirs = lr_scheduler.ReduceLROnPlateau(
            optimizer,
            factor=factor,
            patience=patience,
            cooldown=cooldown,
            threshold=threshold,
            threshold_mode={"relative": "rel", "absolute": "abs"}[comparison],
            min_lr=least,
        )
        for step in range(STEPS):
            assert used[step, row] == optimizer.param_groups[0]["lr"], step
            theirs.step(losses[step, row])
    assert used[-1, 2] < 0.5, "nothing is better than −∞, so this row has a plateau"
