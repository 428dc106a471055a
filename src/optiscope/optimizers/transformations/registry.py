"""Finds transformations by name: each module beside this one that has a `TRANSFORMATION` offers one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import lru_cache

from optiscope.optimizers.transformations.transformation import Transformation


@lru_cache(maxsize=1)
def transformation_types() -> Mapping[str, type[Transformation]]:
    """Every transformation of the package by name, in alphabetical order."""
    package = importlib.import_module("optiscope.optimizers.transformations")
    found: dict[str, type[Transformation]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        kind = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "TRANSFORMATION", None)
        if kind is not None:
            found[kind.name] = kind
    return dict(sorted(found.items()))
