"""Functions with a closed form: formula, domain, known minima, gradient and Hessian. One file a function."""

from __future__ import annotations

from optiscope.problems.functions.function import Function
from optiscope.problems.functions.registry import function, function_types

__all__ = ["Function", "function", "function_types"]
