"""Names of recorded quantities and timelines as titles of axes and figures."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

QUANTITIES = {
    "learning_rate": "learning rate",
    "momentum": "momentum",
    "beta1": "β₁",
    "beta2": "β₂",
    "weight_decay": "weight decay",
    "gradient_norm": "gradient norm ‖g‖",
    "raw_gradient_norm": "gradient norm before clipping ‖g‖",
    "weight_norm": "weight norm ‖θ‖",
    "update_norm": "update norm ‖Δθ‖",
    "update_ratio": "update / weight ratio ‖Δθ‖ / ‖θ‖",
    "update_gradient_cosine": "cos(update, −gradient)",
    "gradient_previous_cosine": "cos(gradient, previous gradient)",
    "gradient_mean": "gradient mean",
    "gradient_std": "gradient standard deviation",
    "gradient_zero_fraction": "share of zeros in the gradient",
    "gradient_nonfinite": "non-finite numbers in the gradient",
    "distance_from_start": "distance from start ‖θ − θ₀‖",
    "step_skipped": "step skipped (1 = yes)",
}

SIGNED = {"update_gradient_cosine", "gradient_previous_cosine", "gradient_mean"}
COSINES = {"update_gradient_cosine", "gradient_previous_cosine"}

_TIMELINES = {"step": "step", "seconds": "time since start (s)", "epoch": "epoch", "samples": "samples seen"}

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LINE = 96


def quantity_of(name: str) -> str:
    """The recorded quantity in a series' name: "gradient_norm" of "generator/gradient_norm/global"."""
    return next((part for part in name.split("/") if part in QUANTITIES), name)


def title_of(name: str) -> str:
    """A series' name as people read it: "gradient norm ‖g‖, all parameters"."""
    quantity = quantity_of(name)
    if quantity not in QUANTITIES:
        return name.replace("_", " ")
    before, _, after = name.partition(quantity)
    owner = f" ({before.strip('/')})" if before.strip("/") else ""
    part = after.strip("/")
    scope = ", all parameters" if part == "global" else f", {part}" if part else ""
    return f"{QUANTITIES[quantity]}{owner}{scope}"


def axis_title_of(name: str) -> str:
    """The same for an axis, where the room is short: the quantity without saying of what."""
    quantity = quantity_of(name)
    return QUANTITIES.get(quantity, name.replace("_", " "))


def sentence_case(text: str) -> str:
    """The text with a capital first letter; a symbol at the start stays."""
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


def timeline_title(unit: str) -> str:
    """Title of the axis of a timeline, with its unit."""
    return _TIMELINES.get(unit, unit)


def short(name: str, length: int = 26) -> str:
    """A long name with its middle left out: both ends of a parameter's name tell it from others."""
    if len(name) <= length:
        return name
    tail = length // 2
    return f"{name[: length - 1 - tail]}…{name[-tail:]}"


def short_names(names: Sequence[str], length: int = 26) -> list[str]:
    """Short forms of names that stand together: without the dotted beginning that all share, then as by `short`."""
    parts = [name.split(".") for name in names]
    shared = 0
    if len(names) > 1 and max(map(len, names)) > length:
        # The last part stays, even where one name is the whole beginning of another.
        limit = min(map(len, parts)) - 1
        while shared < limit and len({part[shared] for part in parts}) == 1:
            shared += 1
    return [short(".".join(part[shared:]), length) for part in parts]


def power_of_ten(exponent: int) -> str:
    """10⁻³ in plain characters, which print as well as they show in a browser."""
    return {0: "1", 1: "10"}.get(exponent, "10" + str(exponent).translate(_SUPERSCRIPTS))


def paragraph(sentences: Iterable[str], line: int = _LINE) -> tuple[str, int]:
    """Sentences as the lines of a subtitle, and how many lines that is: plotly does not break lines by itself."""
    lines = textwrap.wrap(" ".join(sentences), width=line, break_long_words=False)
    return "<br>".join(lines), len(lines)
