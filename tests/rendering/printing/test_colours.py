from __future__ import annotations

import colorsys

import numpy as np
import plotly.colors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiscope.errors import ArgumentError
from optiscope.rendering.printing.colours import colour_scale, parse_colour, readable_on

BYTE = st.integers(0, 255)


@given(BYTE, BYTE, BYTE, st.floats(0, 1))
def test_every_notation_of_a_colour_reads_the_same(red: int, green: int, blue: int, alpha: float) -> None:
    expected = (red / 255, green / 255, blue / 255)
    assert parse_colour(f"#{red:02x}{green:02X}{blue:02x}")[:3] == pytest.approx(expected)
    assert parse_colour(f"rgb({red}, {green},{blue})") == pytest.approx((*expected, 1))
    assert parse_colour(f"rgba({red},{green},{blue},{alpha:.6f})") == pytest.approx((*expected, alpha), abs=1e-6)
    hue, light, saturation = colorsys.rgb_to_hls(*expected)
    text = f"hsl({hue * 360:.9f}, {saturation * 100:.9f}%, {light * 100:.9f}%)"
    assert parse_colour(text)[:3] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("text", ["", "reddish", "#12", "rgb(1,2)", "rgb(a,b,c)", "url(x)", None, "0.5", "C0"])
def test_what_is_no_css_colour_is_refused(text: object) -> None:
    with pytest.raises(ArgumentError, match="Received"):
        parse_colour(text)


@given(st.sampled_from(["Viridis", "Cividis", "RdBu", "Plasma", "Portland", "Greys"]), st.floats(0, 1))
def test_scales_interpolate_as_plotly_does(name: str, share: float) -> None:
    expected = parse_colour(plotly.colors.sample_colorscale(name, [share])[0])
    assert tuple(colour_scale(name)(share)) == pytest.approx(expected, abs=1.5 / 255)


@given(st.lists(st.tuples(BYTE, BYTE, BYTE), min_size=2, max_size=6))
def test_a_list_of_colours_is_spread_evenly_and_hit_exactly(colours: list[tuple[int, int, int]]) -> None:
    scale = colour_scale([f"rgb{colour}" for colour in colours])
    hit = np.asarray(scale(np.linspace(0, 1, len(colours))))
    np.testing.assert_allclose(hit[:, :3] * 255, colours, atol=1e-6)


def test_a_reversed_scale_runs_backwards_and_nan_is_transparent() -> None:
    scale = colour_scale("Viridis", reverse=True)
    assert tuple(scale(0.0)) == pytest.approx(tuple(colour_scale("Viridis")(1.0)))
    assert np.asarray(scale(np.array([np.nan, 0.5])))[:, 3].tolist() == [0, 1]


def test_a_step_in_a_scale_stays_a_step() -> None:
    scale = colour_scale([[0, "red"], [0.5, "red"], [0.5, "blue"], [1, "blue"]])
    np.testing.assert_allclose(np.asarray(scale(np.array([0.499, 0.501])))[:, [0, 2]], [[1, 0], [0, 1]])


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ArgumentError, match="Viridiss"):
        colour_scale("Viridiss")


def test_text_on_a_colour_can_be_read() -> None:
    assert readable_on(np.array([1.0, 1.0, 1.0, 1.0])) == "#444444"
    assert readable_on(np.array([0.0, 0.0, 0.4, 1.0])) == "white"
