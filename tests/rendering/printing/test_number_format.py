from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiscope.errors import CannotDraw
from optiscope.rendering.printing.number_format import AutomaticFormat, d3_number, power_of_ten

# tests/browser/test_print_agrees.py asks plotly.js itself.
D3 = [
    (0.126, ".2f", "0.13"),
    (-3.14159, ".2f", "−3.14"),
    (1234.5, ",.1f", "1,234.5"),
    (1500, ".3s", "1.50k"),
    (1500, "~s", "1.5k"),
    (0.0000042, ".2s", "4.2µ"),
    (42e6, "s", "42M"),
    (1234.5, ",s", "1.23450k"),
    (0.256, "p", "25.6%"),
    (1234.5, "+f", "+1234.5"),
    (1e-7, "~g", "1e−7"),
    (0.256, "%", "25.600000%"),
    (0.256, ".0%", "26%"),
    (0.256, ".1~%", "25.6%"),
    (0.00123, "e", "1.230000e−3"),
    (0.00123, ".2e", "1.23e−3"),
    (0.00123, ".1~e", "1.2e−3"),
    (1e21, ".0e", "1e+21"),
    (42.0, "d", "42"),
    (0.1, "", "0.1"),
    (1234567.0, "", "1234567"),
    (1234.5678, ".3g", "1.23e+3"),
    (0.000012345, ".3g", "0.0000123"),
    (1234.5678, ".3r", "1230"),
    (0.5, "+.1f", "+0.5"),
    (0, ".2f", "0.00"),
]


@pytest.mark.parametrize(("value", "form", "text"), D3)
def test_formats_write_what_d3_writes(value: float, form: str, text: str) -> None:
    assert d3_number(value, form, part="axis") == text


@pytest.mark.parametrize("form", ["$.2f", "010d", ">10", "x", "#b", "(.2f", "nonsense", "^20s"])
def test_a_format_beyond_these_raises(form: str) -> None:
    with pytest.raises(CannotDraw, match="axis"):
        d3_number(1.0, form, part="axis")


@given(st.floats(-1e12, 1e12), st.integers(0, 8))
def test_fixed_point_text_reads_back_as_the_rounded_number(value: float, precision: int) -> None:
    text = d3_number(value, f".{precision}f", part="axis").replace("−", "-")
    assert float(text) == pytest.approx(round(value, precision), abs=10.0**-precision)


@pytest.mark.parametrize(
    ("step", "largest", "values", "texts"),
    [
        (0.5, 2.0, (0, 0.5, -1.5), ("0", "0.5", "−1.5")),
        (20000, 100000, (20000, 100000), ("20k", "100k")),
        (0.00002, 0.0001, (0.00002, 0.0001), ("20μ", "100μ")),
        (0.2, 0.6000000001, (0.6000000000000001,), ("0.6",)),
        (1e9, 5e9, (1e9,), ("1B",)),
    ],
)
def test_ticks_without_a_format_are_rounded_to_their_distance(
    step: float, largest: float, values: tuple[float, ...], texts: tuple[str, ...]
) -> None:
    form = AutomaticFormat(step=step, largest=largest)
    assert tuple(form(value).replace("µ", "μ") for value in values) == texts


def test_powers_are_written_as_the_exponent_format_says() -> None:
    assert power_of_ten(-3, "power") == "10<sup>−3</sup>"
    assert power_of_ten(0, "power") == "1"
    assert power_of_ten(-7, "e") == "1e−7"
    assert power_of_ten(3, "B") == "1000"
    assert power_of_ten(6, "B") == "1M"
    assert AutomaticFormat(step=1e-6, largest=5e-6, exponent_format="power")(5e-6) == "5×10<sup>−6</sup>"
