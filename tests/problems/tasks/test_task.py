from __future__ import annotations

import numpy as np
import pytest

from optiscope.errors import ArgumentError
from optiscope.problems.tasks.task import Task


def a_task(samples: int = 10) -> Task:
    images = np.zeros((samples, 1, 2, 2), dtype=np.float32)
    labels = np.zeros(samples, dtype=np.int64)
    return Task(
        name="empty images",
        train_images=images,
        train_labels=labels,
        test_images=images,
        test_labels=labels,
        classes=1,
        seed=0,
    )


def test_every_epoch_visits_each_sample_at_most_once_in_full_batches() -> None:
    batches = list(a_task(10).batches(3, epochs=4, seed=0))
    assert len(batches) == 12
    for epoch in range(4):
        visited = np.concatenate(batches[3 * epoch : 3 * epoch + 3])
        assert len(set(visited.tolist())) == 9


def test_the_order_depends_on_the_seed_alone() -> None:
    first = np.concatenate(list(a_task().batches(2, epochs=2, seed=5)))
    np.testing.assert_array_equal(first, np.concatenate(list(a_task().batches(2, epochs=2, seed=5))))
    assert not np.array_equal(first, np.concatenate(list(a_task().batches(2, epochs=2, seed=6))))


def test_drawing_batches_leaves_the_global_generator_alone() -> None:
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    list(a_task().batches(2, epochs=2, seed=5))
    assert np.random.random() == expected


@pytest.mark.parametrize("size", [0, -1, 11])
def test_a_batch_size_that_cannot_be_filled_is_refused(size: int) -> None:
    with pytest.raises(ArgumentError, match="between 1 and 10"):
        list(a_task(10).batches(size, epochs=1, seed=0))
