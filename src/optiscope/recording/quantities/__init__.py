"""The measured quantities, one per file; a new file with a `QUANTITY` in this folder is found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from optiscope.recording.quantities.quantity import Cost, Quantity

__all__ = ["Cost", "Quantity", "quantities"]


@cache
def quantities() -> dict[str, Quantity]:
    """All quantities by name, sorted by cost and then by name."""
    found = [
        importlib.import_module(f"{__name__}.{module.name}").QUANTITY
        for module in pkgutil.iter_modules(__path__)
        if module.name != "quantity"
    ]
    return {quantity.name: quantity for quantity in sorted(found, key=lambda quantity: (quantity.cost, quantity.name))}
