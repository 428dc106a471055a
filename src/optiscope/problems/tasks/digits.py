"""Handwritten digits that ship with scikit-learn: real data without a download."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64
from numpy.typing import NDArray

from optiscope.errors import ArgumentError, MissingDependency
from optiscope.problems.tasks.task import Task

_SCALE = 16.0
"""Largest grey level in the data: each pixel counts the dark dots of a 4×4 block of a bitmap."""
_ENLARGEMENT = 3
_PADDING = 2


def digits(*, seed: int = 0, test_fraction: float = 0.25) -> Task:
    """1,797 images of handwritten digits, 28×28, split into a training and a test part.

    The originals are 8×8. Each pixel is scaled to [0, 1] and repeated 3×3 times (24×24), and two empty pixels are
    added on each side, so that networks made for 28×28 images (LeNet) take them as they are. The split is stratified:
    every class has the same share in both parts, and depends on `seed` alone.

    Raises `MissingDependency` without scikit-learn and `ArgumentError` for a fraction outside (0, 1).
    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI repository, 1998.
    """
    if not 0.0 < test_fraction < 1.0:
        raise ArgumentError(f"The test fraction lies between 0 and 1, both excluded. Received: {test_fraction!r}.")
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingDependency.of("scikit-learn", purpose="The digits data", extra="demo") from error

    data, target = load_digits(return_X_y=True)
    images = _enlarge(np.asarray(data, dtype=np.float32).reshape(-1, 8, 8) / np.float32(_SCALE))
    labels = np.asarray(target, dtype=np.int64)
    test = _stratified_test_indices(labels, fraction=test_fraction, seed=seed)
    train = np.setdiff1d(np.arange(len(labels)), test)
    return Task(
        name="digits",
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
        classes=10,
        seed=seed,
    )


def _enlarge(images: Float32[np.ndarray, "samples 8 8"]) -> Float32[np.ndarray, "samples 1 28 28"]:
    """Repeat each pixel 3×3 times, pad by 2 with zeros and add the channel axis."""
    enlarged = np.kron(images, np.ones((1, _ENLARGEMENT, _ENLARGEMENT), dtype=np.float32))
    border = (_PADDING, _PADDING)
    return np.pad(enlarged, ((0, 0), border, border))[:, np.newaxis]


def _stratified_test_indices(labels: Int64[np.ndarray, " samples"], *, fraction: float, seed: int) -> NDArray[np.int64]:
    """Draw the same share of every class, at random; the indices come back ascending."""
    generator = np.random.default_rng(seed)
    drawn = [
        generator.permutation(members)[: round(fraction * len(members))]
        for members in (np.flatnonzero(labels == label) for label in np.unique(labels))
    ]
    return np.sort(np.concatenate(drawn))
