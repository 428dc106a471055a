from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiscope.errors import ArgumentError
from optiscope.optimizers.rules.newton import Newton
from tests.optimizers.reference import rates


def hessian(seed: int, eigenvalues) -> np.ndarray:
    """A symmetric matrix with these eigenvalues."""
    size = len(eigenvalues)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]
    return turn @ np.diag(eigenvalues) @ turn.T


def one_step(rule, gradient, matrix):
    (update,), state = rule.update((gradient,), rule.init((gradient,)), (gradient,), curvature=(matrix,))
    return update, state


signed = st.tuples(rates(1e-2, 1e2), st.sampled_from([-1.0, 1.0])).map(lambda pair: pair[0] * pair[1])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    eigenvalues=st.lists(signed, min_size=1, max_size=6),
    learning_rate=rates(1e-2, 1.0),
    damping=st.one_of(st.just(0.0), rates(1e3, 1e4)),
)
def test_newton_solves_the_linear_system(seed, eigenvalues, learning_rate, damping):
    # Damping above every |eigenvalue|, so that no sum of the two is nearly zero.
    matrix = hessian(seed, eigenvalues)
    gradient = np.random.default_rng(seed + 1).normal(size=len(eigenvalues))
    update, _ = one_step(Newton(learning_rate=learning_rate, damping=damping), gradient, matrix)
    expected = -learning_rate * np.linalg.solve(matrix + damping * np.eye(len(eigenvalues)), gradient)
    np.testing.assert_allclose(update, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    eigenvalues=st.lists(signed, min_size=1, max_size=6),
    damping=st.one_of(st.just(0.0), rates(1e-3, 1e3)),
)
def test_the_saddle_free_step_solves_with_the_root_of_the_square(seed, eigenvalues, damping):
    # |H| = √(H²), had by the iteration for the sign of a matrix: |H| = H sign(H).
    matrix = hessian(seed, eigenvalues)
    sign = matrix
    for _ in range(60):
        sign = (sign + np.linalg.inv(sign)) / 2
    gradient = np.random.default_rng(seed + 1).normal(size=len(eigenvalues))
    update, _ = one_step(Newton(damping=damping, saddle_free=True), gradient, matrix)
    expected = -np.linalg.solve(matrix @ sign + damping * np.eye(len(eigenvalues)), gradient)
    np.testing.assert_allclose(update, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())
    assert update @ gradient < 0


def test_one_step_ends_at_the_stationary_point_of_a_parabola_whatever_it_is():
    # f(x) = ½ xᵀ H x − bᵀ x with H indefinite: a saddle, which attracts Newton's method and repels the saddle-free one.
    matrix, b = hessian(0, [3.0, -1.0]), np.array([1.0, 2.0])
    saddle = np.linalg.solve(matrix, b)
    start = np.array([4.0, -3.0])
    update, _ = one_step(Newton(), matrix @ start - b, matrix)
    np.testing.assert_allclose(start + update, saddle, rtol=1e-12)

    def height(x):
        return 0.5 * x @ matrix @ x - b @ x

    update, _ = one_step(Newton(saddle_free=True), matrix @ start - b, matrix)
    assert height(start + update) < height(start)
    assert height(start + update) < height(saddle)


def test_directions_without_curvature_are_left_alone():
    matrix = hessian(1, [2.0, 0.0, 0.0])
    gradient = np.array([1.0, 2.0, 3.0])
    update, _ = one_step(Newton(), gradient, matrix)
    np.testing.assert_allclose(update, -np.linalg.pinv(matrix, rcond=1e-12) @ gradient, rtol=1e-12)
    update, _ = one_step(Newton(), gradient, np.zeros((3, 3)))
    assert (update == 0).all()


def test_the_effective_rate_is_the_diagonal_of_the_inverse():
    matrix = hessian(2, [2.0, -5.0, 1.0])
    gradient = np.ones(3)
    rule = Newton(learning_rate=0.5)
    _, state = one_step(rule, gradient, matrix)
    np.testing.assert_allclose(
        rule.effective_rate(state, (gradient,))[0], 0.5 * np.diag(np.linalg.inv(matrix)), rtol=1e-12
    )


@pytest.mark.parametrize("saddle_free", [False, True])
def test_a_batch_is_its_rows_one_by_one_and_torch_agrees(saddle_free):
    random = np.random.default_rng(3)
    matrices = np.stack([hessian(number, [1.0, -2.0, 7.0]) for number in range(4)])
    matrices[2, 0, 0] = np.inf
    gradients = random.normal(size=(4, 3))
    rule = Newton(damping=0.1, saddle_free=saddle_free)
    together, _ = one_step(rule.with_settings(batch_axes=1), gradients, matrices)
    in_torch, _ = one_step(rule.with_settings(batch_axes=1), torch.from_numpy(gradients), torch.from_numpy(matrices))
    for row in (0, 1, 3):
        np.testing.assert_allclose(together[row], one_step(rule, gradients[row], matrices[row])[0], rtol=1e-12)
        np.testing.assert_allclose(in_torch[row].numpy(), together[row], rtol=1e-12)
    assert np.isnan(together[2]).all()


def test_tensors_of_any_shape_are_flattened_and_half_stays_half():
    matrix = hessian(4, [1.0, 2.0, 3.0, 4.0])
    gradient = np.random.default_rng(4).normal(size=(2, 2))
    update, _ = one_step(Newton(), gradient, matrix)
    np.testing.assert_allclose(update.ravel(), -np.linalg.solve(matrix, gradient.ravel()), rtol=1e-12)
    half, _ = one_step(Newton(), torch.from_numpy(gradient).bfloat16(), torch.from_numpy(matrix).bfloat16())
    assert half.dtype == torch.bfloat16
    np.testing.assert_allclose(half.float().numpy(), update, rtol=0.1, atol=0.02)


def test_without_a_hessian_the_error_says_what_to_do():
    gradient = np.ones(2)
    with pytest.raises(ArgumentError, match="lbfgs"):
        Newton().update((gradient,), Newton().init((gradient,)), (gradient,))


def test_a_negative_damping_is_an_error():
    with pytest.raises(ArgumentError, match="damping of newton is a finite number, 0 or above"):
        Newton(damping=-1.0)
