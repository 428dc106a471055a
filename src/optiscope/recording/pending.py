"""Values that are on their way from an accelerator: the training thread hands them over, the writer thread waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)


@runtime_checkable
class Pending(Protocol[Value_co]):
    """Something whose value is known later. `resolve` is called once, on the writer thread, and may wait."""

    def resolve(self) -> Value_co:
        """Wait for the value and return it."""
        ...


@dataclass(frozen=True, slots=True)
class Known(Generic[Value]):
    """A value that is known already."""

    value: Value

    def resolve(self) -> Value:
        """The value."""
        return self.value


@dataclass(frozen=True, slots=True)
class Later(Generic[Value]):
    """A value that is made on the writer thread, from what is known already."""

    make: Callable[[], Value]

    def resolve(self) -> Value:
        """Make the value."""
        return self.make()
