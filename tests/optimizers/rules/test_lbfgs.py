from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiscope.errors import ArgumentError
from optiscope.optimizers.rules.lbfgs import LBFGS
from tests.optimizers.reference import Course, assert_same_path, course, drive_rule, rates


def quadratic(seed: int, size: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """A positive definite matrix with a condition of up to 100, and a start."""
    random = np.random.default_rng(seed)
    turn = np.linalg.qr(random.normal(size=(size, size)))[0]
    return turn @ np.diag(np.exp(random.uniform(-2, 2, size=size))) @ turn.T, random.normal(size=size)


def descend(rule, gradient, start, steps):
    """The points of the rule on a function with this gradient, which may depend on the step."""
    points, state = [start], rule.init((start,))
    for step in range(steps):
        (update,), state = rule.update((gradient(points[-1], step),), state, (points[-1],))
        points.append(points[-1] + update)
    return np.array(points)


def descend_in_pytorch(gradient, start, steps, **options):
    parameter = torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = torch.optim.LBFGS([parameter], max_iter=1, **options)
    points = [start]
    for step in range(steps):
        parameter.grad = torch.from_numpy(gradient(points[-1], step).copy())
        optimizer.step(lambda: torch.zeros(()))
        points.append(parameter.detach().numpy().copy())
    return np.array(points)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    learning_rate=rates(1e-2, 1.0),
    history=st.integers(1, 8),
    noise=st.sampled_from([0.0, 0.3]),
)
def test_lbfgs_equals_pytorch_step_by_step(seed, learning_rate, history, noise):
    # With noise some pairs have a negative curvature, and are left out. Steps of L-BFGS are very sensitive to
    # rounding near the minimum, so it is compared while it is on its way.
    matrix, start = quadratic(seed)
    disturbance = noise * np.random.default_rng(seed + 1).normal(size=(15, 6))

    def gradient(x, step):
        return matrix @ x + disturbance[step]

    ours = descend(LBFGS(learning_rate=learning_rate, history=history), gradient, start, 15)
    theirs = descend_in_pytorch(gradient, start, 15, lr=learning_rate, history_size=history)
    far = np.linalg.norm(theirs, axis=-1) > 1e-4 * np.linalg.norm(start)
    assert far[:3].any()
    np.testing.assert_allclose(ours[far], theirs[far], rtol=1e-10, atol=1e-10)


def test_several_tensors_count_as_one_vector():
    whole = course(3, shapes=[(9,)])

    def split(arrays):
        return tuple(
            np.asarray(part).reshape(shape)
            for part, shape in zip(np.split(arrays[0], [1, 7]), [(), (3, 2), (2,)], strict=True)
        )

    parts = Course(
        start=split(whole.start),
        gradients=tuple(map(split, whole.gradients)),
        curvatures=tuple(map(split, whole.curvatures)),
    )
    apart = drive_rule(LBFGS(learning_rate=0.1), parts)
    assert_same_path(
        [(np.concatenate([one.ravel() for one in step]),) for step in apart],
        drive_rule(LBFGS(learning_rate=0.1), whole),
    )


def test_rows_with_different_memories_are_those_of_single_runs():
    # Rows differ in when a pair counts, in when they start (the gradient of one is zero at first) and in when they end.
    random = np.random.default_rng(5)
    gradients = random.normal(size=(14, 5, 3))
    gradients[0, 1] = gradients[4, 2] = gradients[6:9, 3] = 0.0
    start = random.normal(size=(5, 3))
    rates_of_rows = np.array([[0.1], [0.2], [0.3], [0.4], [1.0]])
    batched = LBFGS(learning_rate=rates_of_rows, history=3).with_settings(batch_axes=1)
    together = descend(batched, lambda x, step: gradients[step], start, 14)
    for row in range(5):
        alone = descend(
            LBFGS(learning_rate=float(rates_of_rows[row, 0]), history=3),
            lambda x, step, row=row: gradients[step, row],
            start[row],
            14,
        )
        np.testing.assert_allclose(together[:, row], alone, rtol=1e-12, atol=1e-12)


def test_the_direction_satisfies_the_secant_equation():
    # What is learnt maps the last change of the gradient onto the last step: a step at a gradient of −y is s.
    matrix, start = quadratic(1)
    rule = LBFGS()
    x, state = start, rule.init((start,))
    for _ in range(4):
        (update,), state = rule.update((matrix @ x,), state, (x,))
        x = x + update
    gradient = matrix @ x
    _, state = rule.update((gradient,), state, (x,))
    s, y, inverse = state["pairs"][-1]
    np.testing.assert_allclose(inverse, 1 / (y @ s), rtol=1e-12)
    # The gradient −y again: no new pair, since nothing changes.
    (update,), after = rule.update((-y,), {**state, "gradient": -y}, (x,))
    assert len(after["pairs"]) == len(state["pairs"])
    np.testing.assert_allclose(update, s, rtol=1e-9, atol=1e-9 * np.abs(s).max())


def test_it_reaches_the_minimum_of_a_quadratic_in_a_few_steps():
    matrix, start = quadratic(2, size=4)
    points = descend(LBFGS(), lambda x, step: matrix @ x, start, 40)
    # It stops where a step promises less than 1e-9; a Newton step would gain twice what is left of the loss.
    assert points[-1] @ matrix @ points[-1] < 1e-9


def test_a_zero_gradient_moves_nothing():
    rule = LBFGS()
    (update,), state = rule.update((np.zeros(2),), rule.init((np.ones(2),)), (np.ones(2),))
    assert (update == 0).all()
    assert state["pairs"] == ()


def test_an_empty_memory_is_an_error():
    with pytest.raises(ArgumentError, match="history"):
        LBFGS(history=0)
