from __future__ import annotations

import itertools

import numpy as np
import plotly.io as pio
import pytest

from optiscope.errors import UnknownName
from optiscope.figures.colours import along_scale, assign_colours
from optiscope.figures.theme import theme_named
from tests.figures.seeing import VISION, contrast, difference, lab, linear

THEMES = ["light", "dark"]


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("vision", VISION)
def test_every_pair_of_palette_colours_is_told_apart(name, vision):
    for first, second in itertools.combinations(theme_named(name).palette, 2):
        assert difference(first, second, vision) > 20, (first, second)


@pytest.mark.parametrize("name", THEMES)
def test_palette_and_texts_stand_out_from_the_background(name):
    theme = theme_named(name)
    for colour in (*theme.palette, theme.not_finite):
        assert contrast(colour, theme.background) >= 3, colour
    assert contrast(theme.text, theme.background) >= 7
    assert contrast(theme.muted, theme.background) >= 4.5


@pytest.mark.parametrize("name", THEMES)
def test_lines_along_the_scale_stand_out_from_the_background(name):
    theme = theme_named(name)
    assert min(contrast(colour, theme.background) for colour in along_scale(theme, 9)) >= 1.8


@pytest.mark.parametrize("name", THEMES)
def test_the_sequential_scale_is_even_in_lightness(name):
    steps = np.diff([lab(linear(colour))[0] for _, colour in theme_named(name).sequential])
    assert (steps > 0).all()
    assert steps.max() < 1.6 * steps.min()


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("vision", VISION)
def test_cells_that_are_not_finite_are_in_no_colour_scale(name, vision):
    theme = theme_named(name)
    for _, colour in (*theme.sequential, *theme.diverging):
        assert difference(colour, theme.not_finite, vision) > 12, colour


def test_templates_are_registered_and_the_default_of_plotly_is_untouched():
    assert {"optiscope-light", "optiscope-dark"} <= set(pio.templates)
    assert not str(pio.templates.default).startswith("optiscope")


def test_another_theme_is_refused_with_the_ones_there_are():
    with pytest.raises(UnknownName, match="Valid: dark, light"):
        theme_named("drak")


def test_a_run_has_its_colour_alone_and_among_others_in_any_order():
    theme = theme_named("light")
    names = ["adam", "sgd", "momentum"]
    together = assign_colours(names, theme)
    assert together == assign_colours(reversed(names), theme)
    assert together["adam"] == assign_colours(["adam"], theme)["adam"]


def test_many_runs_all_look_different():
    strokes = assign_colours([f"run-{k}" for k in range(30)], theme_named("light"))
    assert len({(stroke.colour, stroke.dash) for stroke in strokes.values()}) == 30
    first = assign_colours([f"run-{k}" for k in range(8)], theme_named("light"))
    assert len({stroke.colour for stroke in first.values()}) == 8


def test_given_colours_are_kept():
    assert assign_colours(["a", "b"], theme_named("light"), {"b": "#123456"})["b"].colour == "#123456"
