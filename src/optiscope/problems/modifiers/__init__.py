"""Modifiers: a function with noise, with sparse gradients, rotated, shifted or scaled is a function again."""

from __future__ import annotations

from optiscope.problems.modifiers.gradient_noise import GradientNoise
from optiscope.problems.modifiers.modifier import Modifier
from optiscope.problems.modifiers.rotation import Rotation
from optiscope.problems.modifiers.scaling import Scaling
from optiscope.problems.modifiers.shift import Shift
from optiscope.problems.modifiers.sparse_gradients import SparseGradients

__all__ = ["GradientNoise", "Modifier", "Rotation", "Scaling", "Shift", "SparseGradients"]
