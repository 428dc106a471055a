from __future__ import annotations

import numpy as np
import pytest
import torch

from optiscope.optimizers.matrices import beside_matrices, eigen, gram, identity, multiply_along, orthonormal

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_products_along_an_axis_are_those_of_einsum(axis):
    tensor = RANDOM.normal(size=(2, 3, 4, 5))
    matrix = RANDOM.normal(size=(2, tensor.shape[axis], 6))
    letters = "bijk"
    inside = letters[axis]
    expected = np.einsum(f"{letters},b{inside}z->{letters.replace(inside, 'z')}", tensor, matrix)
    np.testing.assert_allclose(multiply_along(tensor, matrix, axis, batch_axes=1), expected, rtol=1e-12)
    other = letters.replace(inside, "z")
    np.testing.assert_allclose(
        gram(tensor, axis, batch_axes=1), np.einsum(f"{letters},{other}->b{inside}z", tensor, tensor), rtol=1e-12
    )


def test_the_identity_has_the_batch_and_the_type_of_the_tensor():
    eye = identity(np.zeros((2, 5, 3), dtype=np.float32), 2, batch_axes=1)
    np.testing.assert_array_equal(eye, [np.eye(3)] * 2)
    assert eye.dtype == np.float32


def test_eigenvalues_of_a_matrix_that_is_not_finite_are_nan_and_of_the_others_right():
    matrices = np.stack([np.diag([3.0, 1.0]), np.full((2, 2), np.inf), np.eye(2)])
    values, vectors = eigen(matrices)
    np.testing.assert_array_equal(values, [[1, 3], [np.nan, np.nan], [1, 1]])
    np.testing.assert_allclose(vectors[0] @ np.diag(values[0]) @ vectors[0].T, matrices[0], atol=1e-15)


@pytest.mark.parametrize("library", [np.asarray, torch.from_numpy])
def test_from_the_first_dependent_column_others_take_their_place(library):
    columns = np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 1.0], [0.0, 0.0, 0.0]])
    instead = np.eye(3)
    independent = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    both = np.asarray(orthonormal(library(np.stack([columns, independent])), library(instead)))
    np.testing.assert_allclose(np.swapaxes(both, -1, -2) @ both, [np.eye(3)] * 2, atol=1e-14)
    # (1, 1, 0) is kept; then comes what is left of (0, 1, 0), then of (0, 0, 1).
    root = 0.5**0.5
    np.testing.assert_allclose(np.abs(both[0]), [[root, root, 0], [root, root, 0], [0, 0, 1]], atol=1e-14)
    # With independent columns it is Gram and Schmidt's process.
    np.testing.assert_allclose(np.abs(both[1][:, 0]), [3**-0.5] * 3, atol=1e-14)
    np.testing.assert_allclose(np.abs(both[1][:, 1]), np.array([2, 1, 1]) / 6**0.5, atol=1e-14)


def test_settings_of_rows_fit_matrices():
    assert beside_matrices(0.5) == 0.5
    assert beside_matrices(np.ones((4, 1))).shape == (4, 1, 1)
