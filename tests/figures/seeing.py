"""How colours look to people: contrast, and what two common kinds of colour blindness leave of their difference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# For linear RGB, at full severity. Source: Machado, Oliveira and Fernandes, "A physiologically-based model for
# simulation of color vision deficiency", IEEE Trans. Visualization and Computer Graphics 15 (2009).
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour: str) -> NDArray[np.float64]:
    parts = np.array([int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(light: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio = _XYZ @ light / _XYZ.sum(axis=1)
    f = np.where(ratio > 0.008856, np.cbrt(np.maximum(ratio, 1e-9)), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(first: str, second: str, vision: str) -> float:
    """CIE 1976 colour difference as seen with the given vision; about 2 is just noticeable."""
    a, b = (lab(np.clip(VISION[vision] @ linear(colour), 0, 1)) for colour in (first, second))
    return float(np.linalg.norm(a - b))


def contrast(first: str, second: str) -> float:
    """WCAG contrast ratio, 1 to 21."""
    bright = sorted(float(linear(colour) @ _XYZ[1]) for colour in (first, second))
    return (bright[1] + 0.05) / (bright[0] + 0.05)
