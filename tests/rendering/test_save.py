from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest
from PIL import Image

from optiscope.errors import ArgumentError, CannotDraw, UnknownName
from optiscope.rendering import save
from optiscope.runs.series import Series

SUFFIXES = ["html", "json", "png", "svg", "pdf"]


def _figure() -> go.Figure:
    figure = go.Figure([go.Scatter(y=[3, 1, 2], name="loss"), go.Scatter(y=[1, None, 2], name="accuracy")])
    return figure.update_layout(title="Loss by step", width=480, height=300)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_suffix_writes_its_format_in_small_letters_and_in_capitals(tmp_path: Path, suffix: str) -> None:
    beginnings = {"html": b"<!DOCTYPE html>", "json": b"{", "png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    for name in (f"figure.{suffix}", f"FIGURE2.{suffix.upper()}"):
        path = save(_figure(), tmp_path / name)
        assert path.read_bytes().startswith(beginnings[suffix])
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_figure_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    first, second = (save(_figure(), tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
    assert first == second


def test_a_png_has_two_pixels_for_each_css_pixel_unless_told_otherwise(tmp_path: Path) -> None:
    with Image.open(save(_figure(), tmp_path / "a.png")) as image:
        assert image.size == (960, 600)
    with Image.open(save(_figure(), tmp_path / "b.png", width=200, height=100, scale=1)) as image:
        assert image.size == (200, 100)


def test_text_in_an_svg_is_text(tmp_path: Path) -> None:
    text = save(_figure(), tmp_path / "a.svg").read_text()
    assert re.search(r"<text[^>]*>Loss by step</text>", text)
    assert "<dc:date>" not in text


def test_a_pdf_embeds_its_fonts_as_truetype_and_no_time(tmp_path: Path) -> None:
    content = save(_figure(), tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    assert b"CreationDate" not in content


def test_json_reads_back_as_the_same_figure(tmp_path: Path) -> None:
    path = save(_figure(), tmp_path / "a.json")
    assert pio.read_json(path).to_dict() == _figure().to_dict()
    assert json.loads(path.read_text())["data"][1]["y"] == [1, None, 2]


def test_width_and_height_reach_html_and_json_and_leave_the_figure_alone(tmp_path: Path) -> None:
    figure = _figure()
    layout = json.loads(save(figure, tmp_path / "a.json", width=111, height=222).read_text())["layout"]
    assert (layout["width"], layout["height"]) == (111, 222)
    assert figure.layout.width == 480


@pytest.mark.parametrize("name", ["a.jpg", "a.pmg", "a", "a.txt"])
def test_an_unknown_suffix_names_the_valid_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownName, match=r"\.gif, \.html, \.json, \.mp4, \.pdf, \.png, \.svg"):
        save(_figure(), tmp_path / name)


@pytest.mark.parametrize("suffix", ["gif", "mp4"])
def test_films_of_a_still_figure_are_refused_by_name(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ArgumentError, match="Films"):
        save(_figure(), tmp_path / f"a.{suffix}")


def test_a_missing_folder_is_not_made_in_silence(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="folder"):
        save(_figure(), tmp_path / "no" / "a.png")
    (tmp_path / "a.png").mkdir()
    with pytest.raises(ArgumentError, match="is a folder"):
        save(_figure(), tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_figure_that_cannot_be_printed_leaves_the_old_file_and_no_other(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"a.{suffix}"
    target.write_bytes(b"old")
    with pytest.raises(CannotDraw):
        save(go.Figure(go.Pie(values=[1])), target)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_failure_while_writing_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(OSError, match="No space"):
        save(_figure(), target)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_an_existing_file_keeps_its_mode_and_a_new_one_follows_the_umask(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.touch(mode=0o600)
    target.chmod(0o640)
    assert save(_figure(), target).stat().st_mode & 0o777 == 0o640
    plain = tmp_path / "plain"
    plain.touch()
    assert save(_figure(), tmp_path / "b.json").stat().st_mode == plain.stat().st_mode


def test_a_finished_figure_takes_a_theme_but_no_look(tmp_path: Path) -> None:
    with (
        Image.open(save(_figure(), tmp_path / "a.png", theme="dark")) as dark,
        Image.open(save(_figure(), tmp_path / "b.png")) as kept,
    ):
        assert max(dark.convert("RGB").getpixel((2, 2))) < 80
        assert kept.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
    with pytest.raises(ArgumentError, match="visual"):
        save(_figure(), tmp_path / "a.png", colour="red")


def test_what_is_no_figure_is_drawn_first(tmp_path: Path) -> None:
    steps = np.arange(50)
    series = Series(name="loss", steps=steps, seconds=steps / 10, values=1 / (1 + steps))
    figure = json.loads(save(series, tmp_path / "a.json").read_text())
    assert len(figure["data"]) >= 1
    for suffix in ("png", "svg", "pdf", "html"):
        assert save(series, tmp_path / f"a.{suffix}", theme="dark").stat().st_size > 1000


def test_a_moving_figure_is_printed_on_request(tmp_path: Path) -> None:
    figure = _figure()
    figure.frames = [go.Frame(name="1")]
    with pytest.raises(CannotDraw, match="moves"):
        save(figure, tmp_path / "a.png")
    assert save(figure, tmp_path / "a.png", frame="first").exists()
    assert save(figure, tmp_path / "a.html").exists()


def test_swapped_arguments_and_sizes_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"comes after what is to be shown\. Received as path: Figure"):
        save("x.png", _figure())  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"scale is a positive number\. Received: scale='big'"):
        save(_figure(), tmp_path / "x.png", scale="big")  # type: ignore[arg-type]
