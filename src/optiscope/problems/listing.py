"""The problems that there are, described."""

from __future__ import annotations

from dataclasses import dataclass

from optiscope.errors import MissingDependency
from optiscope.problems.functions.function import Function
from optiscope.problems.functions.registry import function_types


@dataclass(frozen=True, kw_only=True)
class ProblemDescription:
    """What one may know of a function before choosing it."""

    name: str
    """Name by which it is asked for."""
    title: str
    """Name for titles."""
    formula: str
    """Its formula."""
    dimension: int
    """Number of coordinates unless another is asked for."""
    any_dimension: bool
    """Whether `name(dimension=N)` gives it another number of coordinates."""
    bounds: tuple[tuple[float, float], ...]
    """Domain along each coordinate."""
    start: tuple[float, ...]
    """Customary start."""
    minima: tuple[tuple[float, ...], ...]
    """Known global minima."""
    minimum: float
    """Smallest value; −inf when unbounded below, NaN when not known."""
    source: str
    """Author, year, and where the minima come from."""


def list_problems() -> tuple[ProblemDescription, ...]:
    """Every function, in alphabetical order. Those whose data need a package that is not installed are left out."""
    return tuple(_described(made) for made in (_made(kind) for kind in function_types().values()) if made is not None)


def _made(kind: type[Function]) -> Function | None:
    try:
        made = kind()
        _ = made.minimum
    except MissingDependency:
        return None
    return made


def _described(made: Function) -> ProblemDescription:
    dimension = type(made).__dataclass_fields__.get("dimension")  # type: ignore[attr-defined]
    return ProblemDescription(
        name=made.name,
        title=made.title,
        formula=made.formula,
        dimension=made.dimension,
        any_dimension=dimension is not None and dimension.init,
        bounds=tuple((float(low), float(high)) for low, high in made.bounds),
        start=tuple(float(one) for one in made.start),
        minima=tuple(tuple(float(one) for one in point) for point in made.minima),
        minimum=float(made.minimum),
        source=made.source,
    )
