from __future__ import annotations

import numpy as np
import torch

from optiscope.optimizers.flattening import flatten, unflatten


def test_tensors_come_back_as_they_were():
    arrays = (np.asarray(1.5), np.arange(6.0).reshape(2, 3), np.zeros((0, 2)), np.array([7.0]))
    flat = flatten(arrays, batch_axes=0)
    np.testing.assert_array_equal(flat, [1.5, 0, 1, 2, 3, 4, 5, 7])
    for one, back in zip(arrays, unflatten(flat, arrays, batch_axes=0), strict=True):
        np.testing.assert_array_equal(one, back)
        assert one.dtype == back.dtype


def test_the_axes_of_the_batch_stay():
    arrays = (np.arange(12.0).reshape(2, 3, 2), np.arange(2.0).reshape(2, 1))
    flat = flatten(arrays, batch_axes=1)
    np.testing.assert_array_equal(flat, [[0, 1, 2, 3, 4, 5, 0], [6, 7, 8, 9, 10, 11, 1]])
    for one, back in zip(arrays, unflatten(flat, arrays, batch_axes=1), strict=True):
        np.testing.assert_array_equal(one, back)


def test_half_precision_is_single_in_between():
    tensors = (torch.ones(2, dtype=torch.bfloat16), torch.ones(2, 2, dtype=torch.float32))
    flat = flatten(tensors, batch_axes=0)
    assert flat.dtype == torch.float32
    assert [one.dtype for one in unflatten(flat, tensors, batch_axes=0)] == [torch.bfloat16, torch.float32]
