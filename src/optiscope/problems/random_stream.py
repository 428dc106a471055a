"""Random numbers that depend on a seed, a step and a stream alone, so that every optimizer meets the same ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int64

Draw = Callable[[np.random.Generator], Float64[np.ndarray, " parameters"]]
"""Draws what one seed gives at one step."""


def generator_at(seed: int, *, step: int, stream: int) -> np.random.Generator:
    """The generator of a seed at a step.

    Philox is a function of key and counter: nothing has to be drawn for the steps before. The generator itself counts
    in the lowest of the counter's four words, so steps (second word) and streams (third) never overlap.

    Source: J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011.
    """
    # Keys are unsigned; a negative seed is taken as its two's complement.
    key = np.array([seed & 0xFFFF_FFFF_FFFF_FFFF, 0], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=np.array([0, step, stream, 0], dtype=np.uint64)))


def draw_for(
    seeds: Int64[np.ndarray, "*batch"], draw: Draw, *, step: int, stream: int
) -> Float64[np.ndarray, "*batch parameters"]:
    """Draw once for each different seed, and lay the results out like `seeds`, with the parameters as last axis."""
    unique, positions = np.unique(np.asarray(seeds), return_inverse=True)
    if len(unique) == 0:
        sample = draw(generator_at(0, step=step, stream=stream))
        return np.empty((*np.shape(seeds), *sample.shape))
    drawn = np.stack([draw(generator_at(int(seed), step=step, stream=stream)) for seed in unique])
    laid_out: Float64[np.ndarray, "*batch parameters"] = drawn[positions.reshape(np.shape(seeds))]
    return laid_out
