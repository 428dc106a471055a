from __future__ import annotations

import math

import pytest

from optiscope.analysis.wording import duration
from optiscope.rendering.report.wording import number, setting, share, size


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"),
        (210.0, "210"),
        (26_880.0, "26,880"),
        (-1.0, "−1"),
        (0.9, "0.9"),
        (0.003, "0.003"),
        (0.00123, "0.00123"),
        (2.32589, "2.326"),
        (0.96666, "0.9667"),
        (-0.136012, "−0.1360"),
        (12_345.678, "12,346"),
        (1.5e-5, "1.50e-5"),
        (6.1e20, "6.10e20"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (None, "–"),
    ],
)
def test_a_number_has_four_significant_digits_and_no_more_than_it_needs(value: float | None, written: str) -> None:
    assert number(value) == written


@pytest.mark.parametrize(("value", "written"), [(0.2, "0.2"), (1e-5, "1e-05"), (0.9, "0.9"), (-1.0, "−1")])
def test_a_setting_is_written_as_it_was_chosen(value: float, written: str) -> None:
    assert setting(value) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0042, "4.2 ms"),
        (0.95, "0.95 s"),
        (9.71, "9.7 s"),
        (12.3, "12 s"),
        (200.0, "3 min 20 s"),
        (7500.0, "2 h 5 min"),
    ],
)
def test_a_duration_is_written_in_the_unit_of_its_size(seconds: float, written: str) -> None:
    assert duration(seconds) == written


@pytest.mark.parametrize(("count", "written"), [(999, "999 bytes"), (5_436_098, "5.44 MB"), (3e12, "3 TB")])
def test_a_size_is_written_in_the_unit_of_its_size(count: float, written: str) -> None:
    assert size(count) == written


def test_a_share_that_was_not_measured_is_a_dash() -> None:
    assert (share(None), share(math.nan), share(0.042)) == ("–", "NaN", "4.2 %")
