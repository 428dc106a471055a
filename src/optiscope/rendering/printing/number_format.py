"""Numbers as text: the d3 formats of `tickformat`, and plotly's own rounding where no format is set."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from optiscope.errors import CannotDraw

MINUS = "\N{MINUS SIGN}"
_PREFIXES = {
    -15: "f",
    -12: "p",
    -9: "n",
    -6: "\N{MICRO SIGN}",
    -3: "m",
    0: "",
    3: "k",
    6: "M",
    9: "G",
    12: "T",
    15: "P",
}
_D3 = re.compile(
    r"(?P<sign>[-+ ]?)(?P<comma>,?)(?:\.(?P<precision>\d+))?(?P<trim>~?)(?P<kind>[efgrs%pd]?)", re.ASCII
)  # fmt: skip


def d3_number(value: float, form: str, *, part: str) -> str:
    """`value` in a `tickformat`, as plotly.js writes it: d3's [sign][,][.precision][~][e|f|g|r|s|%|p|d].

    Raises `CannotDraw` for a format that uses more of d3's language (fill, alignment, currency, other types).
    """
    match = _D3.fullmatch(form)
    if match is None:
        raise CannotDraw(
            f"The {part} formats its numbers as {form!r}, which the printer (.png, .svg, .pdf) cannot do. "
            "It does [sign][,][.precision][~][e|f|g|r|s|%|p|d]; use one of these, or save as .html instead."
        )
    kind, digits = match["kind"], match["precision"]
    precision = None if digits is None else int(digits)
    # plotly.js, unlike d3, takes the zeros away when such a format names no precision.
    trim = bool(match["trim"]) or (precision is None and kind in ("f", "p", "s") and not match["comma"])
    if kind == "":
        kind, precision, trim = "g", 12 if precision is None else precision, True
    text = _by_kind(abs(value), kind, 6 if precision is None else precision)
    if trim:
        text = re.sub(r"(\.\d*?)0+(?=\D|$)", r"\1", text, count=1)
        text = re.sub(r"\.(?=\D|$)", "", text)
    if match["comma"]:
        whole = re.match(r"\d+", text)
        if whole is not None:
            text = f"{int(whole[0]):,}{text[whole.end() :]}"
    negative = value < 0 and any(letter in "123456789" for letter in text)
    plus = match["sign"] if match["sign"] in ("+", " ") else ""
    return (MINUS if negative else plus) + text.replace("-", MINUS)


def _by_kind(magnitude: float, kind: str, precision: int) -> str:
    match kind:
        case "f":
            return f"{magnitude:.{precision}f}"
        case "e":
            return _short_exponent(f"{magnitude:.{precision}e}")
        case "g":
            return _general(magnitude, max(precision, 1))
        case "d":
            return f"{math.floor(magnitude + 0.5)}"
        case "%":
            return f"{magnitude * 100:.{precision}f}%"
        case "p":
            return f"{_significant(magnitude * 100, max(precision, 1))}%"
        case "r":
            return _significant(magnitude, max(precision, 1))
        case _:
            return _with_prefix(magnitude, max(precision, 1))


def _short_exponent(text: str) -> str:
    """1.5e-07 -> 1.5e-7, as JavaScript writes it."""
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{'-' if int(exponent) < 0 else '+'}{abs(int(exponent))}"


def _general(magnitude: float, precision: int) -> str:
    """JavaScript's toPrecision: all significant digits, an exponent below 1e-6 or past the precision."""
    if magnitude == 0:
        return f"{0:.{precision - 1}f}"
    exponent = int(f"{magnitude:.{precision - 1}e}".partition("e")[2])
    if -7 < exponent < precision:
        return f"{magnitude:.{precision - 1 - exponent}f}"
    return _short_exponent(f"{magnitude:.{precision - 1}e}")


def _significant(magnitude: float, precision: int) -> str:
    """Decimal notation, rounded to significant digits."""
    if magnitude == 0:
        return f"{0:.{precision - 1}f}"
    exponent = int(f"{magnitude:.{precision - 1}e}".partition("e")[2])
    decimals = precision - 1 - exponent
    return f"{round(magnitude, decimals):.{max(decimals, 0)}f}"


def _with_prefix(magnitude: float, precision: int) -> str:
    if magnitude == 0:
        return f"{0:.{precision - 1}f}"
    exponent = int(f"{magnitude:.{precision - 1}e}".partition("e")[2])
    thousand = min(max(3 * math.floor(exponent / 3), -15), 15)
    return _significant(magnitude / 10.0**thousand, precision) + _PREFIXES[thousand]


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomaticFormat:
    """Rounds tick values to what the distance between them needs, as plotly does without a `tickformat`."""

    step: float
    """Distance between neighbouring ticks."""
    largest: float
    """Largest magnitude on the axis; it decides whether an exponent is written."""
    exponent_format: str = "B"
    """"none", "e", "E", "power", "SI" or "B" (k, M, B)."""
    smallest_exponent: float = 3.0
    """Magnitudes up to ten to this power are written without an exponent."""
    separate_thousands: bool = False

    def __call__(self, value: float) -> str:
        """The text of one tick; a power is written with <sup>."""
        exponent = self._exponent()
        decimals = 2 - math.floor(math.log10(self.step) + 0.01) if self.step > 0 else 3
        if abs(value) < 10.0**-decimals / 2:
            return "0"
        scaled = round(abs(value) / 10.0**exponent, max(decimals + exponent, 0))
        text = f"{scaled:{',' if self.separate_thousands else ''}.{max(decimals + exponent, 0)}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return (MINUS if value < 0 else "") + text + self._exponent_text(exponent)

    def _exponent(self) -> int:
        if self.exponent_format == "none" or self.largest <= 0 or not math.isfinite(self.largest):
            return 0
        magnitude = math.floor(math.log10(self.largest) + 0.01)
        if abs(magnitude) <= self.smallest_exponent:
            return 0
        if self.exponent_format in ("SI", "B", "SI extended") and -16 < magnitude < 16:
            return int(3 * math.floor((magnitude - 1) / 3 + 0.5))
        return magnitude

    def _exponent_text(self, exponent: int) -> str:
        if exponent == 0:
            return ""
        if self.exponent_format in ("e", "E"):
            return f"{self.exponent_format}{MINUS if exponent < 0 else '+'}{abs(exponent)}"
        if self.exponent_format == "B" and exponent == 9:
            return "B"
        if self.exponent_format in ("SI", "B", "SI extended") and exponent in _PREFIXES:
            return _PREFIXES[exponent]
        return f"\N{MULTIPLICATION SIGN}10<sup>{MINUS if exponent < 0 else ''}{abs(exponent)}</sup>"


def power_of_ten(exponent: int, exponent_format: str) -> str:
    """The label of a decade on a logarithmic axis."""
    if exponent_format == "power" or abs(exponent) > 15:
        power = f"10<sup>{MINUS if exponent < 0 else ''}{abs(exponent)}</sup>"
        return {0: "1", 1: "10"}.get(exponent, power)
    if exponent_format in ("e", "E") and abs(exponent) > 2:
        return f"1{exponent_format}{MINUS if exponent < 0 else '+'}{abs(exponent)}"
    value = 10.0**exponent
    return AutomaticFormat(step=value, largest=value, exponent_format=exponent_format)(value)
