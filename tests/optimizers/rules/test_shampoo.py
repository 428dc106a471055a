from __future__ import annotations

import numpy as np
import pytest
import pytorch_optimizer
from hypothesis import given, settings

from optiscope.errors import ArgumentError
from optiscope.optimizers.rules.shampoo import Shampoo
from tests.optimizers.reference import (
    assert_same_path,
    course,
    courses,
    decays,
    drive_formula,
    drive_rule,
    drive_torch,
    fractions,
    rates,
)

# The reference takes a singular value decomposition where we take eigenvalues. Each is exact to 1e-16 of the largest
# eigenvalue, λ ~ 1e3; in the power −1/2 of a vector's smallest, ε ≥ 1e-3, that leaves about 1e-10.
TOLERANCE = 1e-12


@settings(max_examples=20, deadline=None)
@given(course=courses(), learning_rate=rates(), epsilon=rates(1e-3, 1.0), weight_decay=decays())
def test_shampoo_equals_the_library_step_by_step(course, learning_rate, epsilon, weight_decay):
    rule = Shampoo(learning_rate=learning_rate, epsilon=epsilon, weight_decay=weight_decay)

    def reference(parameters):
        return pytorch_optimizer.Shampoo(
            parameters, lr=learning_rate, matrix_eps=epsilon, weight_decay=weight_decay, weight_decouple=False
        )

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course), tolerance=TOLERANCE)


@settings(max_examples=10, deadline=None)
@given(course=courses(shapes=[(3, 3), (4, 2)]), learning_rate=rates(), momentum=fractions(0.95))
def test_momentum_averages_gradients_before_the_matrices(course, learning_rate, momentum):
    # The library mixes the preconditioned step of before into the gradient, and so into the matrices. Here the formula
    # of the class is written out, with another way to the roots.
    def formula(step, parameter, gradient, memory):
        rows, columns = parameter.shape
        for name, size, square in (("L", rows, gradient @ gradient.T), ("R", columns, gradient.T @ gradient)):
            memory[name] = memory.get(name, 1e-2 * np.eye(size)) + square
        memory["M"] = momentum * memory.get("M", 0) + (1 - momentum) * gradient
        return parameter - learning_rate * _root4(memory["L"]) @ memory["M"] @ _root4(memory["R"])

    rule = Shampoo(learning_rate=learning_rate, momentum=momentum, epsilon=1e-2)
    assert_same_path(drive_rule(rule, course), drive_formula(formula, course), tolerance=TOLERANCE)


def _root4(matrix):
    """To the power −1/4, by two square roots of Denman and Beavers and an inverse."""
    for _ in range(2):
        y, z = matrix, np.eye(len(matrix))
        for _ in range(60):
            y, z = (y + np.linalg.inv(z)) / 2, (z + np.linalg.inv(y)) / 2
        matrix = y
    return np.linalg.inv(matrix)


def test_on_a_vector_no_rotation_of_the_coordinates_changes_the_path():
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    straight = course(5, shapes=[(4,)])
    rule = Shampoo(learning_rate=0.1, epsilon=1e-3)
    turned = type(straight)(
        start=(turn @ straight.start[0],),
        gradients=tuple((turn @ gradient,) for (gradient,) in straight.gradients),
        curvatures=straight.curvatures,
    )
    for (one,), (other,) in zip(drive_rule(rule, straight), drive_rule(rule, turned), strict=True):
        np.testing.assert_allclose(turn @ one, other, rtol=1e-9, atol=1e-9)


def test_roots_are_computed_as_often_as_asked():
    rule = Shampoo(learning_rate=0.1, every=3)
    way = course(1, shapes=[(3, 2)])
    states = [rule.init(way.start)]
    for gradients in way.gradients[:7]:
        states.append(rule.update(gradients, states[-1], way.start)[1])
    fresh = [
        step for step in range(1, 8) if not np.array_equal(states[step][0]["roots"][0], states[step - 1][0]["roots"][0])
    ]
    assert fresh == [1, 4, 7]


def test_the_effective_rate_is_the_diagonal_of_what_multiplies_the_gradient():
    rule = Shampoo(learning_rate=0.3)
    (gradient,) = course(2, shapes=[(3, 2)]).gradients[0]
    parameter = np.zeros((3, 2))
    state = rule.init((parameter,))
    (_, state) = rule.update((gradient,), state, (parameter,))
    whole = 0.3 * np.kron(state[0]["roots"][0], state[0]["roots"][1])
    np.testing.assert_allclose(rule.effective_rate(state, (parameter,))[0].ravel(), np.diag(whole), rtol=1e-12)


def test_an_axis_that_is_too_long_has_no_matrix():
    (state,) = Shampoo(largest_dimension=4).init((np.ones((5, 3)),))
    assert list(state["matrices"]) == [1]


def test_a_row_that_has_diverged_does_not_end_the_others():
    rule = Shampoo(learning_rate=0.1).with_settings(batch_axes=1)
    rows = np.array([[np.nan, 1.0], [1.0, 2.0]])
    (update,), _ = rule.update((rows,), rule.init((rows,)), (rows,))
    alone = Shampoo(learning_rate=0.1)
    (expected,), _ = alone.update((rows[1],), alone.init((rows[1],)), (rows[1],))
    assert np.isnan(update[0]).all()
    np.testing.assert_allclose(update[1], expected, rtol=1e-12)


def test_never_computing_roots_is_an_error():
    with pytest.raises(ArgumentError, match="every"):
        Shampoo(every=0)
