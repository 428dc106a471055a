"""Things to minimise: known functions, small real tasks, or a user's own model and data."""

from __future__ import annotations
