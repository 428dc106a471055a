"""Quadratics: the spectrum that was asked for, along the axes or turned."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optiscope.errors import ArgumentError
from optiscope.problems.functions import function
from optiscope.problems.functions.quadratic import Quadratic


@pytest.mark.parametrize("rotation", [None, 0, 7])
@pytest.mark.parametrize("spectrum", [(1.0, 10.0), (3.0,), (0.5, 2.0, 2.0, 1e4), (-1.0, 4.0), (0.0, 1.0)])
def test_the_hessian_has_the_spectrum_that_was_asked_for(spectrum, rotation):
    problem = Quadratic(eigenvalues=spectrum, rotation=rotation)
    x = np.random.default_rng(0).standard_normal((4, len(spectrum)))
    matrix = problem.hessian(x)[0]
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix), sorted(spectrum), atol=1e-9)
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_allclose(problem.gradient(x), x @ matrix, atol=1e-9)
    np.testing.assert_allclose(problem.value(x), 0.5 * np.einsum("ri,ij,rj->r", x, matrix, x), rtol=1e-9, atol=1e-9)
    is_diagonal = np.abs(matrix - np.diag(np.diag(matrix))).max() < 1e-9
    assert is_diagonal == (rotation is None or len(spectrum) == 1)


def test_the_condition_number_is_spread_in_equal_ratios():
    problem = function("quadratic(condition=1000, dimension=4)")
    np.testing.assert_allclose(problem.spectrum, [1, 10, 100, 1000])
    assert function("quadratic(eigenvalues=(1, 2, 3))").dimension == 3


def test_a_negative_eigenvalue_leaves_no_minimum():
    saddle = Quadratic(eigenvalues=(1.0, -1.0))
    assert saddle.minima.shape == (0, 2)
    assert saddle.minimum == -math.inf
    assert Quadratic(eigenvalues=(0.0, 1.0)).minimum == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"eigenvalues": ()},
        {"eigenvalues": (1.0, math.nan)},
        {"eigenvalues": (1.0, "two")},
        {"eigenvalues": (1.0, 2.0, 3.0), "dimension": 4},
        {"condition": 0.5},
        {"condition": math.inf},
        {"dimension": 0},
    ],
)
def test_what_is_no_spectrum_is_refused(settings):
    with pytest.raises(ArgumentError, match="Received"):
        Quadratic(**settings)
