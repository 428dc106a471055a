from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from optiscope.errors import CannotDraw
from optiscope.rendering.printing.text import Font, installed_family, lettering


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain", "plain"),
        ("two<br>lines", "two\nlines"),
        ("10<sup>−3</sup>", r"10$^{\text{−3}}$"),
        ("a<sub>i j</sub>", r"a$_{\text{i j}}$"),
        ("the <b>best</b>", r"the $\mathbf{best}$"),
        ("the <b>best #1</b>", r"the $\mathbf{best\ }\text{#}\mathbf{1}$"),
        ("&lt;3 &amp; more", "<3 & more"),
        ("costs $5 or $6", r"costs \$5 or \$6"),
        ('<a href="x">link</a>', "link"),
    ],
)
def test_small_html_becomes_matplotlib_text(source: str, text: str) -> None:
    assert lettering(source, Font(), part="title").text == text


def test_what_holds_for_a_whole_text_becomes_its_font() -> None:
    bold = lettering("<b>all of it</b>", Font(), part="title")
    assert (bold.text, bold.font.weight) == ("all of it", "bold")
    styled = lettering('<span style="color: red; font-size: 20px"><i>x</i></span>', Font(), part="title")
    assert (styled.font.colour, styled.font.size, styled.font.style) == ((1, 0, 0, 1), 20, "italic")


@pytest.mark.parametrize("source", ["<u>x</u>", "<s>x</s>", 'a <span style="color:red">b</span>', "<img src='x'>"])
def test_html_that_cannot_be_set_raises(source: str) -> None:
    with pytest.raises(CannotDraw, match="title"):
        lettering(source, Font(), part="title")


@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters="<>&\r"), max_size=30), st.sampled_from("bi"))
def test_any_letters_can_be_drawn_plain_or_accented(letters: str, tag: str) -> None:
    figure = Figure(figsize=(1, 1))
    renderer = FigureCanvasAgg(figure).get_renderer()
    for source in (letters, f"x <{tag}>{letters}</{tag}><sup>{letters}</sup>"):
        artist = lettering(source, Font(), part="title").dress(figure.text(0, 0, ""))
        artist.get_window_extent(renderer)


def test_a_font_that_is_not_installed_gives_way_to_one_that_is() -> None:
    assert installed_family("No Such Font, sans-serif") == ("DejaVu Sans",)
    assert installed_family("monospace") == ("DejaVu Sans Mono", "DejaVu Sans")
