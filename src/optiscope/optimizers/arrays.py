"""The array operations that rules are written with: the array API standard's, on NumPy and PyTorch alike."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from array_api_compat import array_namespace

Array: TypeAlias = Any
"""A NumPy array or a tensor of a framework. The two share no type; both have the operators of the array API."""
Arrays: TypeAlias = tuple[Array, ...]
"""One array for each parameter tensor of a model, in a fixed order."""


def namespace(array: Array) -> Any:
    """The functions (`sqrt`, `where`, `linalg.qr` …) that work on `array`, under the names of the array API standard.

    Source: Python array API standard, https://data-apis.org/array-api.
    """
    # NumPy 2 follows the standard itself; asking costs fifteen times the look at the type.
    return np if isinstance(array, np.ndarray) else array_namespace(array)
