"""Rotation, shift and scaling: moved minima, and the chain rule against finite differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optiscope.errors import ArgumentError
from optiscope.problems.functions import function
from optiscope.problems.functions.function import Function
from optiscope.problems.functions.own import function_of
from optiscope.problems.modifiers import Rotation, Scaling, Shift
from optiscope.problems.modifiers.rotation import random_rotation

PLANAR = function("rosenbrock")
SPATIAL = function("rosenbrock(dimension=4)")


def placed() -> list[Function]:
    return [
        Shift(base=PLANAR, offset=(3.0, -1.0)),
        Shift(base=SPATIAL, offset=2.0),
        Scaling(base=PLANAR, factors=(10.0, -0.5)),
        Scaling(base=SPATIAL, factors=3.0),
        Rotation(base=PLANAR, degrees=30),
        Rotation(base=PLANAR, matrix=[[0.0, 1.0], [1.0, 0.0]]),
        Rotation(base=SPATIAL, seed=4),
        Rotation(base=SPATIAL),
        Shift(base=Rotation(base=Scaling(base=PLANAR, factors=(1.0, 2.0)), seed=1), offset=0.5),
    ]


@pytest.fixture(params=placed(), ids=lambda one: f"{one.name} {one.dimension}")
def problem(request) -> Function:
    return request.param


def points_of(problem: Function) -> np.ndarray:
    low, high = problem.bounds.T
    return np.random.default_rng(2).uniform(low, high, (8, problem.dimension))


def test_the_chain_rule_holds(problem):
    differences = function_of(
        problem.value, dimension=problem.dimension, bounds=problem.bounds, start=problem.start, name="differences"
    )
    x = points_of(problem)
    scale = np.abs(problem.gradient(x)).max()
    np.testing.assert_allclose(problem.gradient(x), differences.gradient(x), atol=1e-6 * scale)
    exact = function_of(
        problem.value,
        dimension=problem.dimension,
        bounds=problem.bounds,
        start=problem.start,
        gradient=problem.gradient,
    )
    scale = np.abs(problem.hessian(x)).max()
    np.testing.assert_allclose(problem.hessian(x), exact.hessian(x), atol=1e-6 * scale)
    np.testing.assert_allclose(
        problem.hessian_vector_product(x, x), (problem.hessian(x) @ x[..., None])[..., 0], rtol=1e-12
    )


def test_the_minima_moved_along(problem):
    base = problem
    while hasattr(base, "base"):
        base = base.base
    assert problem.minima.shape == base.minima.shape
    np.testing.assert_allclose(problem.value(problem.minima), base.minimum, atol=1e-20)
    np.testing.assert_allclose(problem.gradient(problem.minima), 0, atol=1e-10)
    assert problem.value(problem.start) == pytest.approx(base.value(base.start), rel=1e-9)
    assert problem.minimum == base.minimum


def test_the_domain_moved_along(problem):
    base = problem.base
    low, high = base.bounds.T
    inside = problem.there(np.random.default_rng(0).uniform(low, high, (2000, problem.dimension)))
    assert (problem.bounds[:, 0] - 1e-9 <= inside).all()
    assert (inside <= problem.bounds[:, 1] + 1e-9).all()
    assert (problem.bounds[:, 0] < problem.bounds[:, 1]).all()


def test_there_and_back_is_where_it_was(problem):
    x = points_of(problem)
    np.testing.assert_allclose(problem.back(problem.there(x)), x, rtol=1e-12, atol=1e-12)


def test_single_precision_and_memory_order_are_kept(problem):
    x = np.asfortranarray(points_of(problem).astype(np.float32))
    before = x.copy()
    for result in (problem.value(x), problem.gradient(x), problem.hessian(x)):
        assert result.dtype == np.float32
    assert problem.gradient(x).flags.f_contiguous
    np.testing.assert_array_equal(x, before)
    assert problem.gradient(x[:0]).shape == (0, problem.dimension)
    assert problem.gradient(x[0]).shape == (problem.dimension,)


def test_a_quarter_turn_is_counter_clockwise():
    turned = Rotation(base=PLANAR, degrees=90)
    np.testing.assert_allclose(turned.minima, [[-1, 1]], atol=1e-15)
    # The box [−2, 2] × [−1, 3] becomes [−3, 1] × [−2, 2].
    np.testing.assert_allclose(turned.bounds, [[-3, 1], [-2, 2]], atol=1e-12)


@given(seed=st.integers(0, 10_000), dimension=st.integers(1, 8))
@settings(max_examples=20)
def test_random_rotations_are_rotations(seed, dimension):
    turn = random_rotation(dimension, seed=seed)
    np.testing.assert_allclose(turn @ turn.T, np.eye(dimension), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
    np.testing.assert_array_equal(turn, random_rotation(dimension, seed=seed))


def test_random_rotations_favour_no_direction():
    first = np.array([random_rotation(2, seed=seed)[:, 0] for seed in range(2000)])
    # The mean of n unit vectors of random direction is about 1/√n long.
    assert np.linalg.norm(first.mean(axis=0)) < 4 / math.sqrt(2000)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Shift(base=PLANAR, offset=(1, 2, 3)), "setting offset has one finite number for each of 2"),
        (lambda: Shift(base=PLANAR, offset=math.nan), "finite"),
        (lambda: Shift(base=PLANAR, offset="far"), "numbers"),
        (lambda: Scaling(base=PLANAR, factors=(1, 0)), "No factor is zero"),
        (lambda: Scaling(base=PLANAR, factors=math.inf), "finite"),
        (lambda: Rotation(base=PLANAR, degrees=30, seed=1), "one of degrees, matrix and seed"),
        (lambda: Rotation(base=SPATIAL, degrees=30), "two coordinates"),
        (lambda: Rotation(base=PLANAR, degrees=math.nan), "degrees=nan"),
        (lambda: Rotation(base=PLANAR, matrix=np.eye(3)), r"Received: shape \(3, 3\)"),
        (lambda: Rotation(base=PLANAR, matrix=[[2.0, 0.0], [0.0, 1.0]]), "right angles"),
        (lambda: Rotation(base=PLANAR, matrix="left"), "numbers"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
