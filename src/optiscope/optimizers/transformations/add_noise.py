"""Random numbers on top of the direction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.optimizers.arrays import Array, Arrays, namespace
from optiscope.optimizers.limits import NOT_NEGATIVE, SEED, Limit
from optiscope.optimizers.rule import Batching, Setting, State
from optiscope.optimizers.transformations.transformation import Transformation


@dataclass(frozen=True, kw_only=True, eq=False)
class AddNoise(Transformation):
    """d ← d + σ (1 + t)^(−annealing/2) · z, with z from the standard normal distribution.

    z depends on the seed, the step and the place of the number in the model alone (parameter groups are counted one
    after the other): the same on NumPy and PyTorch, on every device, and for every row of a batch. It is drawn by
    NumPy, which takes its time for large networks.

    Source: A. Neelakantan and others: Adding gradient noise improves learning for very deep networks, 2015, equation 1;
    there annealing is 0.55.
    """

    name: ClassVar[str] = "add_noise"
    title: ClassVar[str] = "noise"
    reference: ClassVar[str] = "its mean, variance and distribution"
    batching: ClassVar[Batching] = "rowwise"
    limits: ClassVar[Mapping[str, Limit]] = {
        "standard_deviation": NOT_NEGATIVE,
        "annealing": NOT_NEGATIVE,
        "seed": SEED,
    }

    standard_deviation: Setting
    """σ, in the first step."""
    annealing: Setting = 0.0
    """How fast the variance falls with the steps; 0: not at all."""
    seed: Setting = 0
    """Which noise; one seed for each row of a batch, of shape (rows, 1), is possible too."""

    def init(self, parameters: Arrays) -> State:
        """The count of steps."""
        del parameters
        return {"step": 0}

    def update(self, directions: Arrays, state: State, parameters: Arrays) -> tuple[Arrays, State]:
        """The directions with noise."""
        del parameters
        size = self.standard_deviation * (1 + state["step"]) ** (-self.annealing / 2)
        noisy = tuple(
            direction + size * self._noise(direction, step=state["step"], tensor=index)
            for index, direction in enumerate(directions, start=self.first_tensor)
        )
        return noisy, {"step": state["step"] + 1}

    def _noise(self, like: Array, *, step: int, tensor: int) -> Array:
        shape = tuple(like.shape[self.batch_axes :])
        seeds = np.asarray(self.seed)
        if seeds.ndim == 0:
            noise = _draw(int(seeds), step, tensor, shape)
        else:
            unique, rows = np.unique(seeds[:, 0], return_inverse=True)
            noise = np.stack([_draw(int(one), step, tensor, shape) for one in unique])[rows]
        return namespace(like).asarray(noise, dtype=like.dtype, device=like.device)


def _draw(seed: int, step: int, tensor: int, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
    # The generator counts in the first word; the others are free to say which noise this is.
    generator = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, tensor, step]))
    return generator.standard_normal(math.prod(shape)).reshape(shape)


def add_noise(standard_deviation: Setting, *, annealing: Setting = 0.0, seed: Setting = 0) -> AddNoise:
    """Add normally distributed numbers, the same for the same seed and step; see `AddNoise`."""
    return AddNoise(standard_deviation=standard_deviation, annealing=annealing, seed=seed)


TRANSFORMATION = AddNoise
