"""The short names of settings that frameworks have, understood wherever a rule is made by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from optiscope.errors import ArgumentError

SHORT_NAMES: Mapping[str, str] = {"lr": "learning_rate", "eps": "epsilon"}
"""Our names of settings by the short ones. `betas` are `beta1`, `beta2` …"""


def in_our_names(settings: Mapping[str, object], valid: Collection[str]) -> dict[str, object]:
    """The settings with `lr`, `eps` and `betas` spelled as the rule has them, whose settings are `valid`.

    A name that the rule itself has is left as it is. Raises `ArgumentError` for a setting that is given under both
    names, and for betas that are not as many numbers as the rule has.
    """
    found: dict[str, object] = {}
    for name, value in settings.items():
        for own, number in _spelled(name, value, valid).items():
            if own in found:
                raise ArgumentError(
                    f"{own} is given twice, once as {name}: leave out one of them. Received: {', '.join(settings)}."
                )
            found[own] = number
    return found


def _spelled(name: str, value: object, valid: Collection[str]) -> dict[str, object]:
    ours = SHORT_NAMES.get(name, name)
    if name in valid or (name != "betas" and ours not in valid):
        return {name: value}
    if name != "betas":
        return {ours: value}
    names = [f"beta{number}" for number in (1, 2, 3) if f"beta{number}" in valid]
    if not names:
        return {name: value}
    if not isinstance(value, tuple | list) or len(value) != len(names):
        raise ArgumentError(f"betas are {len(names)} numbers, one for each of {', '.join(names)}. Received: {value!r}.")
    return dict(zip(names, value, strict=True))
