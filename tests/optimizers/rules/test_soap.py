from __future__ import annotations

import types

import numpy as np
import pytest
import pytorch_optimizer
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiscope.errors import ArgumentError
from optiscope.optimizers.rules.adam import Adam
from optiscope.optimizers.rules.soap import SOAP
from tests.optimizers.reference import (
    assert_same_path,
    course,
    courses,
    decays,
    drive_rule,
    drive_torch,
    fractions,
    rates,
)

# Shapes whose first gradient spans every axis but for one direction: further ones the reference turns arbitrarily.
SHAPES = [(), (2,), (3, 2), (3, 3), (2, 2, 3)]


class _TorchInDouble(types.ModuleType):
    """PyTorch, but for the name float32: the reference rounds its matrices to that before it factorises them."""

    float32 = torch.float64

    def __getattr__(self, name):
        return getattr(torch, name)


@pytest.fixture(scope="module", autouse=True)
def _reference_in_double():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pytorch_optimizer.optimizer.soap.torch", _TorchInDouble("torch"))
        yield


@settings(max_examples=20, deadline=None)
@given(
    course=courses(shapes=SHAPES),
    learning_rate=rates(),
    beta1=fractions(0.99),
    beta2=st.floats(0.5, 0.999),
    matrix_decay=st.one_of(st.none(), st.floats(0.5, 0.99)),
    weight_decay=decays(),
    every=st.integers(1, 6),
    vectors=st.booleans(),
)
def test_soap_equals_the_library_step_by_step(
    course, learning_rate, beta1, beta2, matrix_decay, weight_decay, every, vectors
):
    rule = SOAP(
        learning_rate=learning_rate,
        beta1=beta1,
        beta2=beta2,
        matrix_decay=matrix_decay,
        weight_decay=weight_decay,
        every=every,
        vectors=vectors,
    )

    def reference(parameters):
        return pytorch_optimizer.SOAP(
            parameters,
            lr=learning_rate,
            betas=(beta1, beta2),
            shampoo_beta=matrix_decay,
            weight_decay=weight_decay,
            precondition_frequency=every,
            precondition_1d=vectors,
        )

    # Eigenvectors are exact to the rounding over the gap of their eigenvalues.
    assert_same_path(drive_rule(rule, course), drive_torch(reference, course), tolerance=1e-11)


def test_without_matrices_soap_is_adam_after_a_lost_step():
    way = course(4, shapes=[(3,)])
    rule = SOAP(learning_rate=0.1, vectors=False, beta1=0.9, beta2=0.99, epsilon=0.0)
    late = type(way)(start=way.start, gradients=way.gradients[1:], curvatures=way.curvatures[1:])
    adam = Adam(learning_rate=0.1, beta1=0.9, beta2=0.99, epsilon=0.0)
    path = drive_rule(rule, way)
    np.testing.assert_array_equal(path[0][0], way.start[0])
    assert_same_path(path[1:], drive_rule(adam, late))


def test_the_eigenvectors_stay_orthonormal_and_diagonalise_the_mean():
    # With the same gradients over and over, the power method has to find their eigenvectors.
    random = np.random.default_rng(0)
    rule = SOAP(every=1, beta2=0.9)
    parameter = np.zeros((3, 3))
    state = rule.init((parameter,))
    gradients = [random.normal(size=(3, 3)) * [[4.0], [1.0], [0.2]] for _ in range(3)]
    for step in range(240):
        _, state = rule.update((gradients[step % 3],), state, (parameter,))
    basis, matrix = state[0]["bases"][0], state[0]["matrices"][0]
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-12)
    turned = basis.T @ matrix @ basis
    assert np.abs(turned - np.diag(np.diag(turned))).max() < 0.02 * np.abs(np.diag(turned)).max()
    assert (np.diff(np.diag(turned)) < 0).all()


def test_the_effective_rate_is_the_diagonal_of_what_multiplies_the_momentum():
    rule = SOAP(learning_rate=0.3, beta1=0.0)
    parameter = np.zeros((3, 2))
    state = rule.init((parameter,))
    assert np.isnan(rule.effective_rate(state, (parameter,))[0]).all()
    for gradients in course(2, shapes=[(3, 2)]).gradients[:4]:
        _, state = rule.update(gradients, state, (parameter,))
    (rate,) = rule.effective_rate(state, (parameter,))
    # The matrix column by column: what a step does with one coordinate of the momentum, all else unchanged.
    one = state[0]
    turn = np.kron(one["bases_of_rates"][0], one["bases_of_rates"][1])
    whole = turn @ np.diag(one["rotated_rates"].ravel()) @ turn.T
    np.testing.assert_allclose(rate.ravel(), np.diag(whole), rtol=1e-12)


@pytest.mark.parametrize("every", [1, 10])
@pytest.mark.parametrize("shape", [(6,), (5, 2), (7, 1)])
def test_directions_without_gradients_are_not_left_to_rounding(shape, every):
    way = course(11, shapes=[shape])
    rule = SOAP(learning_rate=0.1, every=every)
    assert_same_path(drive_rule(rule, way), drive_rule(rule, way, library="torch"), tolerance=1e-9)
    state = rule.init(way.start)
    for gradients in way.gradients:
        _, state = rule.update(gradients, state, way.start)
        for basis in state[0]["bases"].values():
            np.testing.assert_allclose(basis.T @ basis, np.eye(len(basis)), atol=1e-12)


def test_a_gradient_along_a_coordinate_leaves_the_coordinates_where_they_are():
    rule = SOAP()
    parameter = np.zeros(4)
    _, state = rule.update((np.array([0.0, 0.0, 3.0, 0.0]),), rule.init((parameter,)), (parameter,))
    basis = np.abs(state[0]["bases"][0])
    np.testing.assert_allclose(np.sort(basis, axis=0), np.sort(np.eye(4), axis=0), atol=1e-12)
    assert basis[2, 0] == 1


def test_never_computing_eigenvectors_is_an_error():
    with pytest.raises(ArgumentError, match="every"):
        SOAP(every=0)
