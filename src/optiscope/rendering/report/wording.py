"""Numbers, durations and sizes as people write them, the same in the report and on the command line."""

from __future__ import annotations

import math

from optiscope.analysis.wording import percent


def number(value: float | None) -> str:
    """`value` with four significant digits, or fewer where it has no more.

    Whole numbers are written in full with thousands separated, NaN and ∞ by name, and what is not there as a dash.
    """
    if value is None:
        return "–"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    if float(value).is_integer() and abs(value) < 1e15:
        return _minus(f"{value:,.0f}")
    if 1e-4 <= abs(value) < 1e4 and float(f"{value:.4g}") == value:
        return _minus(f"{value:.4g}")
    if 1e-3 <= abs(value) < 1e5:
        digits = max(0, 3 - math.floor(math.log10(abs(value))))
        return _minus(f"{value:,.{digits}f}")
    mantissa, exponent = f"{value:.2e}".split("e")
    return _minus(f"{mantissa}e{int(exponent)}")


def _minus(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text


def setting(value: float) -> str:
    """A number that somebody chose, in as few digits as it has: 0.1, 0.003, 1e-05."""
    return f"{value:g}".replace("-", "−", 1) if value < 0 else f"{value:g}"


def share(fraction: float | None) -> str:
    """A share in [0, 1] as a percentage; a dash when it was not measured."""
    return "–" if fraction is None else percent(fraction) if math.isfinite(fraction) else number(fraction)


def size(count: float) -> str:
    """A number of bytes, such as "4.7 MB" (powers of ten)."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
