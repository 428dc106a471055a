"""Update rules put together from transformations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import mul
from typing import ClassVar

from optiscope.errors import ArgumentError, UnknownName
from optiscope.optimizers.arrays import Array, Arrays, namespace
from optiscope.optimizers.rule import Rule, Setting, State
from optiscope.optimizers.search_space import Range
from optiscope.optimizers.transformations.apply_rule import ApplyRule
from optiscope.optimizers.transformations.transformation import Transformation

Part = tuple[int, str]
"""Where a setting of a chain is: the position of the transformation, and the setting's name in it."""
_OF_EACH = ("batch_axes", "first_tensor")
"""What all transformations of a chain are told alike."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chain(Rule):
    """θ ← θ − Tₙ(… T₂(T₁(g))): the gradient goes through the transformations in their order.

    What comes out is subtracted, so there is no minus sign to forget; in optax it is added, and the learning rate has
    to carry the sign.

    The settings are those of the transformations, by their names. Where two have a setting of the same name, it is
    called "add_l2.weight_decay", and with two of the same kind "clip_by_norm[2].maximum", by the position from 0.
    Schedules count the steps of the chain, also those in which gradients are only accumulated.
    """

    name: ClassVar[str] = "chain"
    title: ClassVar[str] = "Chain"
    paper: ClassVar[str] = "after optax: DeepMind and others: The DeepMind JAX ecosystem, 2020"
    reference: ClassVar[str] = "the rules that it can express, and each transformation's own"

    transformations: tuple[Transformation, ...] = field(metadata={"internal": True})
    """The transformations in their order."""

    def __post_init__(self) -> None:
        _check_order(self.transformations)
        for part in self.transformations:
            part.check()
        kinds = {part.batching for part in self.transformations}
        batching = "single" if "single" in kinds else "rowwise" if "rowwise" in kinds else "elementwise"
        # What a rule has as attributes of its class, a chain has from its parts.
        object.__setattr__(self, "batching", batching)
        object.__setattr__(self, "search", self._search())
        object.__setattr__(self, "title", " → ".join(_titles(self.transformations)) or "Gradient descent")

    def init(self, parameters: Arrays) -> State:
        """The states of the transformations."""
        return tuple(part.init(parameters) for part in self.transformations)

    def update(
        self, gradients: Arrays, state: State, parameters: Arrays, *, curvature: Arrays | None = None
    ) -> tuple[Arrays, State]:
        """Minus what comes out of the last transformation."""
        del curvature
        directions = gradients
        after = list(state)
        for position, part in enumerate(self.transformations):
            changed, after[position] = part.update(directions, state[position], parameters)
            if changed is None:
                still = tuple(namespace(parameter).zeros_like(parameter) for parameter in parameters)
                return still, tuple(after)
            directions = changed
        return tuple(-direction for direction in directions), tuple(after)

    def probe(self, state: State, parameters: Arrays) -> Arrays:
        """Where a rule that is a part of the chain wants the next gradient."""
        for part, one in zip(self.transformations, state, strict=True):
            parameters = part.probe(one, parameters)
        return parameters

    def evaluation_point(self, state: State, parameters: Arrays) -> Arrays:
        """The average of the parameters, when one is kept."""
        for part, one in zip(self.transformations, state, strict=True):
            parameters = part.evaluation_point(one, parameters)
        return parameters

    def effective_rate(self, state: State, parameters: Arrays) -> Arrays:
        """The product of the transformations' scales. Clipping, decay and noise are left out."""
        scales = [part.scale(one, parameters) for part, one in zip(self.transformations, state, strict=True)]
        return tuple(
            namespace(parameter).zeros_like(parameter) + reduce(mul, (scale[index] for scale in scales), 1.0)
            for index, parameter in enumerate(parameters)
        )

    def internals(self, state: State) -> Mapping[str, Array]:
        """Those of the transformations; a name that occurs twice has the transformation's before it."""
        found: dict[str, Array] = {}
        for part, one in zip(self.transformations, state, strict=True):
            for name, value in part.internals(one).items():
                found[f"{part.name}.{name}" if name in found else name] = value
        return found

    @property
    def settings(self) -> dict[str, Setting]:
        """The settings of all transformations by name; see the class."""
        return {name: self.transformations[position].settings[own] for name, (position, own) in self._places().items()}

    def differing_settings(self) -> tuple[str, ...]:
        """Names of the settings that are not at the defaults of the class of their transformation."""
        differing = [part.differing_settings() for part in self.transformations]
        return tuple(name for name, (position, own) in self._places().items() if own in differing[position])

    def with_settings(self, **settings: Setting) -> Chain:
        """A copy with other settings, not checked. Raises `UnknownName` for one that no transformation has."""
        places: Mapping[str, Part] = {}
        changes: dict[int, dict[str, Setting]] = {}
        for name, value in settings.items():
            if name in _OF_EACH:
                for position in range(len(self.transformations)):
                    changes.setdefault(position, {})[name] = value
                continue
            places = places or self._places()
            if name not in places:
                raise UnknownName.among(name, places, kind="setting of this chain")
            position, setting = places[name]
            changes.setdefault(position, {})[setting] = value
        parts = tuple(
            part.with_settings(**changes[position]) if position in changes else part
            for position, part in enumerate(self.transformations)
        )
        own = {name: settings[name] for name in _OF_EACH if name in settings}
        chain = super().with_settings(transformations=parts, **own)
        assert isinstance(chain, Chain)
        return chain

    def _places(self) -> dict[str, Part]:
        """Where the setting of each name is."""
        parts = [
            (position, part.name, own) for position, part in enumerate(self.transformations) for own in part.settings
        ]
        holders = Counter(own for _, _, own in parts)
        kinds = Counter(part.name for part in self.transformations)
        places: dict[str, Part] = {}
        for position, kind, own in parts:
            name = own
            if holders[own] > 1:
                name = f"{kind}.{own}" if kinds[kind] == 1 else f"{kind}[{position}].{own}"
            places[name] = (position, own)
        return places

    def _search(self) -> dict[str, Range]:
        searches = [part.search for part in self.transformations]
        places = self._places().items()
        return {name: searches[position][own] for name, (position, own) in places if own in searches[position]}


def chain(*transformations: Transformation | Rule) -> Chain:
    """Put transformations together to an update rule; see `Chain`.

    `chain(clip_by_norm(1.0), scale_by_adam(), add_weight_decay(0.01), scale_by_learning_rate(1e-3))` is AdamW with
    clipping. A chain within a chain is taken apart; a rule within a chain gets the directions as its gradients.

    Raises `ArgumentError` for anything that is no transformation, for none at all, and for one that follows another
    that has to be the last.
    """
    return Chain(transformations=tuple(_flattened(transformations)))


def _flattened(parts: tuple[object, ...]) -> Iterator[Transformation]:
    for part in parts:
        match part:
            case Transformation():
                yield part
            case Chain():
                yield from part.transformations
            case Rule():
                yield ApplyRule(rule=part)
            case _:
                called = " It is made by a call, with parentheses." if callable(part) else ""
                raise ArgumentError(
                    "A chain is made of transformations such as clip_by_norm(1.0) and scale_by_learning_rate(0.1), of "
                    f"rules and of other chains.{called} Received: {part!r}."
                )


def _check_order(parts: tuple[Transformation, ...]) -> None:
    if not parts:
        raise ArgumentError("A chain needs at least one transformation, such as scale_by_learning_rate(0.1).")
    last: Transformation | None = None
    for part in parts:
        if last is not None and not part.comes_last:
            raise ArgumentError(
                f"{last.name} looks at the parameters after the step, so it comes after everything that changes the "
                f"step. Move it behind {part.name}. Received: {', '.join(one.name for one in parts)}."
            )
        if last is not None and last.ends_chain:
            raise ArgumentError(
                f"{last.name} comes at the very end: {part.name} changes where the parameters go, and "
                f"{last.name} would see points that are never reached. Move it behind {part.name}. Received: "
                f"{', '.join(one.name for one in parts)}."
            )
        last = part if part.comes_last else None


def _titles(parts: tuple[Transformation, ...]) -> Iterator[str]:
    """What tells this chain from others: the learning rate, which every chain has, does not."""
    titles = [part.title for part in parts if part.name != "scale_by_learning_rate"]
    for title in titles[:1]:
        yield title[0].upper() + title[1:]
    yield from titles[1:]
