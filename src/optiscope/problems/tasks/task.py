"""A small real classification problem as arrays, the same for every framework."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from optiscope.errors import ArgumentError


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """Images with labels, split once into a part to learn from and a part that judges."""

    name: str
    """What the data is, such as "digits"."""
    train_images: Float32[np.ndarray, "train channels height width"]
    """Images to learn from; each pixel in [0, 1]."""
    train_labels: Int64[np.ndarray, " train"]
    """Class of each training image, in 0 … classes − 1."""
    test_images: Float32[np.ndarray, "test channels height width"]
    """Images held out from training; each pixel in [0, 1]."""
    test_labels: Int64[np.ndarray, " test"]
    """Class of each held-out image, in 0 … classes − 1."""
    classes: int
    """Number of classes."""
    seed: int
    """Seed of the split."""

    def batches(self, size: int, *, epochs: int, seed: int) -> Iterator[Int64[np.ndarray, " batch"]]:
        """Yield the indices of one training batch after another, in a new random order each epoch.

        The order depends on `seed` alone: every arm of a comparison sees the same batches. The last batch of an
        epoch is left out when it is not full, so that every step averages over the same number of samples.
        Raises `ArgumentError` for a batch larger than the training set.
        """
        if not 1 <= size <= len(self.train_labels):
            raise ArgumentError(
                f"A batch has between 1 and {len(self.train_labels)} samples (the training set of {self.name!r}). "
                f"Received: {size!r}."
            )
        generator = np.random.default_rng(seed)
        for _ in range(epochs):
            order = generator.permutation(len(self.train_labels))
            for start in range(0, len(order) - size + 1, size):
                yield order[start : start + size]
