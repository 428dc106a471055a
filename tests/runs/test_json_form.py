from __future__ import annotations

import dataclasses
import enum
import json
import math
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiscope.runs.json_form import number_from_json, to_json


@dataclasses.dataclass
class Settings:
    lr: float
    betas: tuple[float, float]


class Mode(enum.Enum):
    FAST = 1


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({"lr": 1e-3, 1: (1, 2)}, {"lr": 1e-3, "1": [1, 2]}),
        (Settings(0.1, (0.9, 0.999)), {"lr": 0.1, "betas": [0.9, 0.999]}),
        (np.float32(0.5), 0.5),
        (np.arange(3), [0, 1, 2]),
        (np.bool_(True), True),
        ({3, 1, 2}, [1, 2, 3]),
        (PurePosixPath("a/b"), "a/b"),
        (Mode.FAST, "FAST"),
        ([math.nan, math.inf, -math.inf], ["NaN", "Infinity", "-Infinity"]),
        (len, "<built-in function len>"),
        (b"ab", "b'ab'"),
        (Unprintable(), "<Unprintable>"),
        (None, None),
    ],
)
def test_settings_of_every_kind_have_a_json_form(value, stored):
    assert to_json(value) == stored
    json.dumps(to_json(value), allow_nan=False)


def test_a_structure_that_contains_itself_ends():
    endless: list[object] = []
    endless.append(endless)
    json.dumps(to_json(endless), allow_nan=False)


@given(st.floats())
def test_every_number_comes_back(value):
    back = number_from_json(json.loads(json.dumps(to_json(value), allow_nan=False)))
    assert back == value or (math.isnan(back) and math.isnan(value))


@pytest.mark.parametrize("value", ["nan", None, [1.0], {}])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="not a number"):
        number_from_json(value)
