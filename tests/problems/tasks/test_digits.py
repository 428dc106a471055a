from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from optiscope.errors import ArgumentError, MissingDependency
from optiscope.problems.tasks.digits import digits


def test_the_digits_are_1797_images_of_28_by_28_in_zero_to_one() -> None:
    task = digits()
    assert len(task.train_labels) + len(task.test_labels) == 1797
    assert task.train_images.shape == (len(task.train_labels), 1, 28, 28)
    assert task.test_images.shape == (len(task.test_labels), 1, 28, 28)
    assert task.train_images.dtype == np.float32
    assert task.train_labels.dtype == np.int64
    assert (task.train_images.min(), task.train_images.max()) == (0.0, 1.0)
    assert set(task.train_labels.tolist()) == set(range(task.classes))


def test_every_pixel_of_the_original_is_repeated_three_by_three_inside_an_empty_border() -> None:
    task = digits()
    originals = {image.tobytes() for image in (load_digits().data / 16.0).astype(np.float32)}
    for image in task.test_images[:20, 0]:
        inner = image[2:-2, 2:-2]
        blocks = inner.reshape(8, 3, 8, 3)
        assert np.all(blocks == blocks[:, :1, :, :1])
        assert blocks[:, 0, :, 0].copy().tobytes() in originals
        assert image.sum() == pytest.approx(inner.sum())


def test_no_image_is_in_both_parts_and_none_is_lost() -> None:
    task = digits(seed=3)
    together = np.concatenate([task.train_images, task.test_images]).reshape(1797, -1)
    originals = np.kron(load_digits().images.astype(np.float32) / 16, np.ones((1, 3, 3), np.float32))
    padded = np.pad(originals, ((0, 0), (2, 2), (2, 2))).reshape(1797, -1)
    order, expected = np.lexsort(together.T), np.lexsort(padded.T)
    np.testing.assert_array_equal(together[order], padded[expected])


def test_the_split_is_stratified() -> None:
    task = digits(test_fraction=0.25)
    total = np.bincount(np.concatenate([task.train_labels, task.test_labels]))
    share = np.bincount(task.test_labels) / total
    assert np.all(np.abs(share - 0.25) < 0.005)


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    first, again, other = digits(seed=1), digits(seed=1), digits(seed=2)
    np.testing.assert_array_equal(first.test_images, again.test_images)
    assert not np.array_equal(first.test_images, other.test_images)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_a_fraction_that_leaves_a_part_empty_is_refused(fraction: float) -> None:
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        digits(test_fraction=fraction)


def test_without_scikit_learn_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingDependency, match="scikit-learn"):
        digits()
