from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiscope.analysis.projection import principal_components
from optiscope.analysis.random_walk import random_walk_variance
from optiscope.errors import ArgumentError


@given(st.integers(4, 9), st.integers(3, 40), st.integers(0, 1000))
def test_gram_projection_equals_the_singular_value_decomposition(rows, columns, seed):
    points = np.random.default_rng(seed).normal(size=(rows, columns)) * np.logspace(0, -1, columns)
    found = principal_components([points[:, : columns // 2], points[:, columns // 2 :]], 2)
    centred = points - points.mean(axis=0)
    left, scales, right = np.linalg.svd(centred, full_matrices=False)
    expected = left[:, :2] * scales[:2]
    signs = np.sign((found.coordinates * expected).sum(axis=0))
    np.testing.assert_allclose(found.coordinates, expected * signs, atol=1e-10)
    np.testing.assert_allclose(found.explained_variance, scales[:2] ** 2 / (scales**2).sum(), atol=1e-12)
    np.testing.assert_allclose(
        found.distance_off, np.linalg.norm(centred - centred @ right[:2].T @ right[:2], axis=1), atol=1e-7
    )
    np.testing.assert_allclose(found.combination.T @ centred, right[:2] * signs[:, None], atol=1e-8)


def test_single_precision_far_from_the_origin_keeps_its_digits():
    points = (1000 + np.random.default_rng(1).normal(size=(6, 500)) * 1e-2).astype(np.float32)
    exact = points.astype(np.float64)
    exact -= exact.mean(axis=0)
    scales = np.linalg.svd(exact, compute_uv=False)
    found = principal_components([points], 2)
    np.testing.assert_allclose(found.explained_variance, scales[:2] ** 2 / (scales**2).sum(), rtol=1e-10)


def test_the_sign_does_not_depend_on_the_order_of_the_columns():
    points = np.random.default_rng(2).normal(size=(8, 30))
    forward, backward = principal_components([points], 2), principal_components([points[:, ::-1]], 2)
    np.testing.assert_allclose(forward.coordinates, backward.coordinates, atol=1e-10)


def test_points_that_do_not_move_explain_nothing():
    found = principal_components([np.ones((5, 4))], 2)
    assert found.explained_variance.tolist() == [0.0, 0.0]
    assert not found.distance_off.any()


def test_points_that_are_not_finite_are_refused():
    points = np.ones((5, 4))
    points[2, 1] = np.nan
    with pytest.raises(ArgumentError, match="NaN or infinite"):
        principal_components([points], 2)


def test_more_components_than_points_allow_are_refused():
    with pytest.raises(ArgumentError, match="need more than 2 points"):
        principal_components([np.ones((2, 4))], 2)


def test_a_long_random_walk_explains_three_quarters_in_two_components():
    shares = random_walk_variance([np.arange(1000)], 3)
    theory = 6 / (np.pi * np.arange(1, 4)) ** 2
    np.testing.assert_allclose(shares, theory, rtol=2e-3)
    assert shares[:2].sum() == pytest.approx(0.76, abs=0.005)


def test_the_null_agrees_with_simulated_walks_seen_at_uneven_times():
    times = np.array([0, 1, 2, 4, 8, 16, 32, 64])
    rng = np.random.default_rng(3)
    gaps = np.sqrt(np.diff(times, prepend=0))
    walks = [np.cumsum(rng.normal(size=(8, 20_000)) * gaps[:, None], axis=0) for _ in range(2)]
    one = principal_components([walks[0]], 2).explained_variance
    np.testing.assert_allclose(random_walk_variance([times], 2), one, atol=0.01)
    two = principal_components([np.concatenate(walks)], 2).explained_variance
    np.testing.assert_allclose(random_walk_variance([times, times], 2), two, atol=0.01)
