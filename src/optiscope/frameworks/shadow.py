"""Shadowing a method on one object: how to see the steps of a framework that offers no hook for them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any


class Shadow:
    """Stands in for the method `name` of one object, until it is removed.

    It sits in the object's own dictionary, past any tracking of attributes that the framework does. A copy of the
    object, by `copy.deepcopy` or pickle, has its own method there and no shadow.
    """

    def __init__(self, owner: Any, name: str, observe: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Put `observe(method)` in the place of the method; it has to call the method it is given."""
        # Named as the standard library does, so that the signature stays the method's.
        self.__wrapped__: Callable[..., Any] = getattr(owner, name)
        self._owner = owner
        self._name = name
        self._below = vars(owner).get(name)
        self._observed: Callable[..., Any] | None = observe(self.__wrapped__)
        vars(owner)[name] = self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method, observed or bare."""
        return (self.__wrapped__ if self._observed is None else self._observed)(*args, **kwargs)

    def remove(self) -> None:
        """Give the method back. Under another shadow, which holds on to this one, it only stops observing."""
        self._observed = None
        if vars(self._owner).get(self._name) is not self:
            return
        below = self._below
        while isinstance(below, Shadow) and below._observed is None:
            below = below._below  # removed meanwhile
        if below is None:
            del vars(self._owner)[self._name]
        else:
            vars(self._owner)[self._name] = below

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self.__wrapped__, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._owner, self._name)
