"""Drives a rule and its reference through the same gradients, step by step, and compares where they go.

A test of a rule reads:

    @given(course=courses(), learning_rate=rates(), beta1=fractions())
    def test_adam_equals_pytorch_step_by_step(course, learning_rate, beta1):
        rule = Adam(learning_rate=learning_rate, beta1=beta1)
        reference = lambda parameters: torch.optim.Adam(parameters, lr=learning_rate, betas=(beta1, 0.999))
        assert_same_path(drive_rule(rule, course), drive_torch(reference, course))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from hypothesis import strategies as st

from optiscope.optimizers.rule import Rule

Arrays: TypeAlias = tuple[np.ndarray, ...]
"""One array for each parameter tensor."""
Way: TypeAlias = list[Arrays]
"""The parameters after each step, without the start."""
Library: TypeAlias = Literal["numpy", "torch"]

SHAPES: tuple[tuple[int, ...], ...] = ((), (4,), (3, 2), (2, 1, 3))
"""Tensors of several shapes, a scalar among them."""
MATRICES: tuple[tuple[int, ...], ...] = ((3, 2), (2, 4), (3, 3))
"""For rules that treat only matrices in their own manner."""
STEPS = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """Starts and gradients that a rule and its reference both get."""

    start: Arrays
    """Parameters before the first step."""
    gradients: tuple[Arrays, ...]
    """The gradients of each step, wherever the parameters are."""
    curvatures: tuple[Arrays, ...]
    """A positive estimate of the Hessian's diagonal for each step, for rules that ask for one."""

    def astype(self, dtype: str) -> Course:
        """The same course in another floating type."""

        def cast(steps: Iterable[Arrays]) -> tuple[Arrays, ...]:
            return tuple(tuple(one.astype(dtype) for one in arrays) for arrays in steps)

        return replace(
            self, start=cast([self.start])[0], gradients=cast(self.gradients), curvatures=cast(self.curvatures)
        )


def course(
    seed: int, *, shapes: Sequence[tuple[int, ...]] = SHAPES, steps: int = STEPS, dtype: str = "float64"
) -> Course:
    """Random starts, and gradients with a trend, noise, changes of sign and very different scales of coordinates."""
    random = np.random.default_rng(seed)
    start = tuple(random.normal(size=shape) for shape in shapes)
    scales = tuple(np.exp(random.normal(size=shape)) for shape in shapes)
    trends = tuple(random.normal(size=shape) for shape in shapes)

    def noisy(scale: np.ndarray, trend: np.ndarray) -> np.ndarray:
        return scale * (trend + random.normal(size=np.shape(scale)))

    gradients = tuple(tuple(map(noisy, scales, trends)) for _ in range(steps))
    curvatures = tuple(tuple(np.exp(random.normal(size=shape)) for shape in shapes) for _ in range(steps))
    # np.asarray: arithmetic turns arrays without axes into NumPy scalars.
    whole = Course(
        start=tuple(map(np.asarray, start)),
        gradients=tuple(tuple(map(np.asarray, one)) for one in gradients),
        curvatures=tuple(tuple(map(np.asarray, one)) for one in curvatures),
    )
    return whole.astype(dtype)


def courses(*, shapes: Sequence[tuple[int, ...]] = SHAPES, steps: int = STEPS) -> st.SearchStrategy[Course]:
    """Courses for hypothesis."""
    return st.integers(0, 2**32 - 1).map(lambda seed: course(seed, shapes=shapes, steps=steps))


def rates(low: float = 1e-3, high: float = 1.0) -> st.SearchStrategy[float]:
    """Learning rates, evenly in the logarithm, and other positive numbers."""
    return st.floats(np.log10(low), np.log10(high)).map(lambda power: float(10**power))


def fractions(high: float = 0.999) -> st.SearchStrategy[float]:
    """Decay factors and momenta: zero, or up to `high`."""
    return st.one_of(st.just(0.0), st.floats(0.01, high))


def memories() -> st.SearchStrategy[float]:
    """Decay factors of the sizes that rules divide by.

    Not below one half: a single g + λθ that happens to be near zero is mostly rounding, and a quotient by it more so.
    """
    return st.floats(0.5, 0.999)


def decays() -> st.SearchStrategy[float]:
    """Weight decay: zero, or up to one half."""
    return st.one_of(st.just(0.0), rates(1e-3, 0.5))


def drive_rule(
    rule: Rule, course: Course, *, library: Library = "numpy", evaluate: bool = False, batch_axes: int = 0
) -> Way:
    """The parameters after each step of a rule; what it would keep (`evaluation_point`) if `evaluate`."""
    to, back = (_to_tensors, _to_numpy) if library == "torch" else (_copies, _copies)
    own = rule.with_settings(batch_axes=batch_axes)
    parameters = to(course.start)
    state = own.init(parameters)
    way: Way = []
    for step, (gradients, curvatures) in enumerate(zip(course.gradients, course.curvatures, strict=True)):
        curvature = to(curvature_for(rule, curvatures, batch_axes=batch_axes))
        updates, state = own.at(step).update(to(gradients), state, parameters, curvature=curvature or None)
        parameters = tuple(one + update for one, update in zip(parameters, updates, strict=True))
        way.append(back(own.evaluation_point(state, parameters) if evaluate else parameters))
    return way


def curvature_for(rule: Rule, diagonals: Arrays, *, batch_axes: int = 0) -> Arrays:
    """What `Rule.update` wants as `curvature`, from the Hessian's diagonal in each tensor; empty if it wants nothing.

    A full Hessian gets something beside its diagonal too, the same everywhere, which keeps it positive definite.
    """
    match rule.curvature:
        case "none":
            return ()
        case "diagonal":
            return diagonals
        case "full":
            flat = (one.reshape((*one.shape[:batch_axes], -1)) for one in diagonals)
            return tuple(one[..., None] * np.eye(one.shape[-1], dtype=one.dtype) + one.dtype.type(0.1) for one in flat)


def drive_torch(
    factory: Callable[[list[torch.nn.Parameter]], Any], course: Course, *, with_closure: bool = False
) -> Way:
    """The parameters after each step of a PyTorch optimizer that `factory` makes for them.

    Args:
        factory: such as `lambda parameters: torch.optim.Adam(parameters, lr=0.1)`.
        course: start and gradients.
        with_closure: whether its `step` wants a closure.
    """
    # Some optimizers keep numbers, such as NAdam's product of momenta, in tensors of the default type.
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64 if course.start[0].dtype == np.float64 else torch.float32)
    try:
        return _drive_torch(factory, course, with_closure=with_closure)
    finally:
        torch.set_default_dtype(before)


def _drive_torch(factory: Callable[[list[torch.nn.Parameter]], Any], course: Course, *, with_closure: bool) -> Way:
    parameters = [torch.nn.Parameter(one) for one in _to_tensors(course.start)]
    optimizer = factory(parameters)
    way: Way = []
    for gradients in course.gradients:
        for parameter, gradient in zip(parameters, _to_tensors(gradients), strict=True):
            parameter.grad = gradient
        if with_closure:
            optimizer.step(lambda: torch.zeros(()))
        else:
            optimizer.step()
        way.append(_to_numpy(one.detach() for one in parameters))
    return way


def drive_formula(formula: Callable[[int, np.ndarray, np.ndarray, dict[str, Any]], np.ndarray], course: Course) -> Way:
    """The parameters after each step of a paper's formula, written out in the test.

    Args:
        formula: takes the number of the step (the first is 1), one parameter tensor, its gradient, and a dict, empty
            at first, in which it keeps what it remembers about this tensor; gives the new parameter tensor.
        course: start and gradients. Curvatures are put into the dict as "curvature".
    """
    parameters = _copies(course.start)
    memories: list[dict[str, Any]] = [{} for _ in parameters]
    way: Way = []
    for step, (gradients, curvatures) in enumerate(zip(course.gradients, course.curvatures, strict=True), start=1):
        for memory, curvature in zip(memories, curvatures, strict=True):
            memory["curvature"] = curvature
        parameters = tuple(np.asarray(formula(step, *one)) for one in zip(parameters, gradients, memories, strict=True))
        way.append(_copies(parameters))
    return way


def assert_same_path(ours: Way, theirs: Way, *, tolerance: float = 1e-12) -> None:
    """Fail unless every tensor after every step agrees to `tolerance`, relative to its largest coordinate."""
    assert len(ours) == len(theirs) > 0
    for step, (own, other) in enumerate(zip(ours, theirs, strict=True), start=1):
        for number, (one, two) in enumerate(zip(own, other, strict=True)):
            assert np.isfinite(two).all(), f"the reference is not finite in tensor {number} after step {step}"
            np.testing.assert_allclose(
                one,
                two,
                rtol=tolerance,
                atol=tolerance * float(np.abs(two).max(initial=1.0)),
                err_msg=f"tensor {number} after step {step}",
            )


def _copies(arrays: Iterable[np.ndarray]) -> Arrays:
    return tuple(np.array(one) for one in arrays)


def _to_tensors(arrays: Iterable[np.ndarray]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(np.array(one)) for one in arrays)


def _to_numpy(tensors: Iterable[torch.Tensor]) -> Arrays:
    return tuple(np.array(one.numpy()) for one in tensors)
