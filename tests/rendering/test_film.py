from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from optiscope.errors import ArgumentError, CannotDraw, MissingDependency
from optiscope.rendering import figure_to_matplotlib, save
from optiscope.rendering.film import Film, make_film
from optiscope.rendering.film.reel import reel_of
from optiscope.rendering.film.stage import PlainStage, Stage
from optiscope.rendering.film.timing import pictures
from optiscope.rendering.printing.settings import own_settings
from tests.optional_parts import require
from tests.rendering.moving_figures import STEPS, flat, space

pytestmark = pytest.mark.slow

BRIGHTNESS = (0.2126, 0.7152, 0.0722)
"""Shares of red, green and blue."""
SMALL = {"width": 320, "height": 180, "scale": 0.5}


def read(path: Path) -> tuple[str, np.ndarray]:
    """What ffmpeg says about an MP4, and its frames."""
    require("imageio_ffmpeg")
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    done = subprocess.run(command, check=True, capture_output=True)
    stream = next(line for line in done.stderr.decode().splitlines() if "Video: h264" in line)
    width, height = (int(side) for side in re.search(r", (\d+)x(\d+)", stream).groups())
    return stream, np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)


def shots(film: Film, *states: int) -> list[np.ndarray]:
    with own_settings():
        return [film.picture(state).copy() for state in states]


def red(picture: np.ndarray) -> np.ndarray:
    """Where the path is."""
    values = picture[..., :3].astype(int)
    return (values[..., 0] > 180) & (values[..., 1] < 90) & (values[..., 2] < 90)


# ------------------------------------------------------------------------------------------------------------ files


def test_an_mp4_has_the_size_the_rate_and_the_number_of_frames_that_were_asked_for(tmp_path):
    path = save(flat(), tmp_path / "a.mp4", width=321, height=180, fps=25, seconds=2)
    stream, frames = read(path)
    assert frames.shape == (50, 180, 322, 3)
    assert " 25 fps" in stream
    assert "yuv420p" in stream
    assert "bt709" in stream


def test_a_film_begins_with_the_first_state_and_ends_with_the_last(tmp_path):
    film = make_film(flat(), **SMALL)
    _, frames = read(save(flat(), tmp_path / "a.mp4", **SMALL))
    first, last = shots(film, 0, STEPS)
    for frame, right, wrong in ((frames[0], first, last), (frames[-1], last, first)):
        near, far = (np.abs((frame - other[..., :3].astype(float)) @ BRIGHTNESS).mean() for other in (right, wrong))
        assert near < 1.0 < 0.5 * far


def test_colours_come_through_an_mp4_unchanged(tmp_path):
    figure = flat(slider=False).update_layout(paper_bgcolor="#1e68d8")
    _, frames = read(save(figure, tmp_path / "a.mp4", **SMALL))
    assert np.abs(frames[-1][3, 3].astype(int) - (0x1E, 0x68, 0xD8)).max() <= 3


@pytest.mark.parametrize("fps", [10, 30])
def test_a_gif_repeats_and_lasts_as_long_as_was_asked_for(tmp_path, fps):
    with Image.open(save(flat(), tmp_path / "a.gif", fps=fps, seconds=2, **SMALL)) as image:
        assert image.size == (320, 180)
        assert image.info["loop"] == 0
        lengths = []
        for number in range(image.n_frames):
            image.seek(number)
            lengths.append(image.info["duration"])
        assert image.n_frames == STEPS + 1
        assert sum(lengths) == 2000


def test_each_picture_of_a_gif_is_what_was_drawn_in_nearby_colours(tmp_path):
    film = make_film(flat(), suffix=".gif", **SMALL)
    drawn = shots(film, *range(STEPS + 1))
    with Image.open(save(flat(), tmp_path / "a.gif", **SMALL)) as image:
        for number in range(image.n_frames):
            image.seek(number)
            shown = np.asarray(image.convert("RGB")).astype(int)
            assert np.abs(shown - drawn[number][..., :3]).mean() < 3.0


@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_the_same_figure_gives_the_same_film(tmp_path, suffix):
    first, second = (save(flat(), tmp_path / f"{name}.{suffix}", seconds=0.5, **SMALL).read_bytes() for name in "ab")
    assert first == second


# --------------------------------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("figure", [flat(slider=False), space()], ids=["flat", "space"])
def test_a_picture_put_together_from_layers_equals_one_drawn_from_nothing(figure):
    film = make_film(figure, width=480, height=270, scale=1.0)
    assert isinstance(film.stage, Stage)
    plain = PlainStage(reel=film.stage.reel, width=480, height=270, renderer=film.stage.renderer, scale=1.0)
    for index in (0, len(film.stage.reel.states) // 2, len(film.stage.reel.states) - 1):
        (layered,) = shots(film, index)
        with own_settings():
            whole = plain.picture(index).copy()
        assert red(whole).any()
        assert np.abs(layered.astype(int) - whole).max() <= 1


def test_axes_stand_still_even_where_the_figure_leaves_their_range_open():
    figure = go.Figure([go.Scatter(x=[0], y=[0], mode="lines", line={"color": "#ff0000"}), go.Scatter(x=[1], y=[1])])
    figure.frames = [go.Frame(data=[go.Scatter(x=[0, k], y=[0, k * k])], traces=[0]) for k in range(1, 6)]
    film = make_film(figure, **SMALL)
    first, last = shots(film, 0, 4)
    range_of_x, range_of_y = (film.stage.page.axes[name].range for name in ("xaxis", "yaxis"))
    assert range_of_x[1] >= 5
    assert range_of_y[1] >= 25
    moved = (first != last).any(axis=2)
    box = film.stage.panels[0][0].axes.get_position()
    height, width = moved.shape
    inside = np.zeros_like(moved)
    inside[
        int((1 - box.y1) * height) - 1 : int((1 - box.y0) * height) + 2,
        int(box.x0 * width) - 1 : int(box.x1 * width) + 2,
    ] = True
    assert moved.any()
    assert not (moved & ~inside).any()


def test_what_stands_still_in_front_of_the_path_stays_in_front():
    film = make_film(flat(slider=False), width=640, height=360, scale=1.0)
    start, end = shots(film, 0, STEPS)
    panel = film.stage.panels[0][0]
    x, y = panel.axes.transData.transform((0.0, 0.0))
    row, column = 360 - round(y), round(x)
    for picture in (start, end):
        assert (picture[row, column, :3] == 255).all()
    assert red(end).sum() > 5 * red(start).sum()


def test_frames_add_up_as_in_the_browser():
    figure = go.Figure([go.Scatter(y=[1, 2]), go.Scatter(y=[3, 4])])
    figure.frames = [go.Frame(data=[{"y": [5, 6]}], traces=[1]), go.Frame(data=[{"opacity": 0.5}], traces=[0])]
    reel = reel_of(figure)
    assert reel.moving == {0, 1}
    assert [list(state.traces[1].raw("y")) for state in reel.states] == [[5, 6], [5, 6]]
    assert [state.traces[0].raw("opacity") for state in reel.states] == [None, 0.5]


def test_a_trace_that_a_frame_only_names_stands_still():
    figure = flat()
    figure.frames = [
        {"data": [{"type": "contour"}, frame.data[0].to_plotly_json()], "traces": [0, 1]} for frame in figure.frames
    ]
    assert reel_of(figure).moving == {1}


def test_titles_annotations_and_shapes_may_move():
    figure = flat(slider=False)
    for step, frame in enumerate(figure.frames):
        frame.layout = {
            "title": {"text": f"Step {step}"},
            "annotations": [{"x": 1, "y": 1, "text": "here" if step else ""}],
            "shapes": [{"type": "line", "x0": -1, "y0": -1, "x1": -1 + step / 6, "y1": -1}],
        }
    film = make_film(figure, **SMALL)
    assert isinstance(film.stage, Stage)
    first, last = shots(film, 0, STEPS)
    assert (first[:15] != last[:15]).any()
    again = shots(film, 0)[0]
    assert (again == first).all()


def test_a_frame_that_moves_the_axes_is_drawn_whole():
    figure = flat(slider=False)
    for step, frame in enumerate(figure.frames):
        frame.layout = {"xaxis": {"range": [-2 - step, 2 + step]}}
    film = make_film(figure, **SMALL)
    assert isinstance(film.stage, PlainStage)
    first, last = shots(film, 0, STEPS)
    assert (first[-25:] != last[-25:]).any()


def test_bars_grow_beside_each_other():
    figure = go.Figure([go.Bar(x=["a", "b"], y=[1, 2]), go.Bar(x=["a", "b"], y=[2, 1], marker_color="#ff0000")])
    figure.frames = [go.Frame(data=[go.Bar(y=[k, k])], traces=[1]) for k in (1, 2, 8)]
    film = make_film(figure, **SMALL)
    few, many = (red(picture).sum() for picture in shots(film, 0, 2))
    assert many > 4 * few


def test_a_colour_scale_means_the_same_in_every_picture():
    figure = go.Figure(go.Heatmap(z=[[0, 1]], colorscale=[[0, "#000000"], [1, "#ff0000"]], showscale=False))
    figure.frames = [go.Frame(data=[go.Heatmap(z=[[0, top]])]) for top in (1, 10)]
    first, last = shots(make_film(figure, **SMALL), 0, 1)
    assert not red(first).any()
    assert red(last).any()


def test_the_strip_says_what_the_slider_says():
    reel = reel_of(flat())
    assert reel.readings[0] == "Step 0"
    assert reel.readings[-1] == f"Step {STEPS}"
    film = make_film(flat(), **SMALL)
    first, last = shots(film, 0, STEPS)
    assert (first[-12:] != last[-12:]).any()
    assert make_film(flat(slider=False), **SMALL).readout is None


# ------------------------------------------------------------------------------------------------------------- time


@given(states=st.integers(1, 400), fps=st.integers(1, 60), seconds=st.none() | st.floats(0.1, 30))
@settings(max_examples=60, deadline=None)
def test_states_are_shown_in_order_from_the_first_to_the_last(states, fps, seconds):
    shown = pictures(states, fps=fps, seconds=seconds)
    assert shown == sorted(shown)
    assert shown[-1] == states - 1
    assert shown[0] == 0 or len(shown) < 3
    if seconds is not None:
        assert len(shown) == max(2, round(seconds * fps))
    else:
        assert set(shown) == set(range(states))
        assert len(shown) >= 5 * fps - 1


# ------------------------------------------------------------------------------------------------------------ faults


def test_what_cannot_be_filmed_is_known_before_a_picture_is_drawn(tmp_path, monkeypatch):
    def drawn(*_: object) -> None:
        raise AssertionError("a picture was drawn")

    broken = flat()
    broken.frames[5].data[0].marker.symbol = "star-diamond-open-dot"
    pie = go.Figure(go.Pie(values=[1]))
    pie.frames = [go.Frame(data=[go.Pie(values=[2])])]
    stray = flat()
    stray.frames[3].traces = [9]
    (tmp_path / "folder.mp4").mkdir()
    monkeypatch.setattr(Film, "write", drawn)
    for figure, name, arguments, error, words in (
        (flat(), "folder.mp4", {}, ArgumentError, "is a folder"),
        (flat(), "no/a.mp4", {}, ArgumentError, "create it first"),
        (flat(), "a.mp4", {"fps": 0}, ArgumentError, "fps is a positive number"),
        (flat(), "a.gif", {"fps": 100}, ArgumentError, "1 to 50 frames a second"),
        (flat(), "a.mp4", {"seconds": 1e5}, ArgumentError, "0.1 to 3600 seconds"),
        (flat(), "a.mp4", {"width": 10}, ArgumentError, "64 to 7680"),
        (flat(), "a.png", {"fps": 30, "frame": "first"}, ArgumentError, "are for films"),
        (pie, "a.mp4", {}, CannotDraw, "pie"),
        (stray, "a.mp4", {}, ArgumentError, "changes trace 9"),
        (go.Figure(go.Scatter(y=[1])), "a.gif", {}, ArgumentError, "no frames"),
    ):
        with pytest.raises(error, match=words):
            save(figure, tmp_path / name, **arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mp4"]


def test_a_folder_that_cannot_be_written_to_is_known_before_a_picture_is_drawn(tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(ArgumentError, match="Nothing can be written"):
        save(flat(), tmp_path / "a.mp4")


def test_without_ffmpeg_the_error_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(MissingDependency, match=r"optiscope\[film\]"):
        save(flat(), tmp_path / "a.mp4")
    assert save(flat(), tmp_path / "a.gif", **SMALL).exists()


def test_progress_is_told_frame_by_frame(tmp_path):
    told: list[tuple[int, int]] = []
    save(flat(), tmp_path / "a.gif", seconds=1, progress=lambda done, total: told.append((done, total)), **SMALL)
    assert told[-1] == (30, 30)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_a_failure_on_the_way_leaves_the_old_film_and_no_process(tmp_path, suffix):
    target = tmp_path / f"a.{suffix}"
    target.write_bytes(b"old")

    def stop(done: int, total: int) -> None:
        if done > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save(flat(), target, progress=stop, **SMALL)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]
    assert not children()


def test_what_ffmpeg_says_is_in_the_error(tmp_path, monkeypatch):
    from optiscope.rendering.film import mp4

    command = mp4._command

    def wrong(*args: object, **kwargs: object) -> list[str]:
        return [part.replace("libx264", "nonsense") for part in command(*args, **kwargs)]

    monkeypatch.setattr(mp4, "_command", wrong)
    with pytest.raises(OSError, match="nonsense"):
        save(flat(), tmp_path / "a.mp4", **SMALL)
    assert not list(tmp_path.iterdir())


def children() -> list[str]:
    """Films that this process has begun and that still are there, dead or alive."""
    command = ["ps", "--ppid", str(os.getpid()), "-o", "args="]
    listed = subprocess.run(command, check=False, capture_output=True, text=True)
    return [line for line in listed.stdout.splitlines() if "ffmpeg" in line]


def test_no_thread_prints_with_the_settings_of_a_film(tmp_path):
    """A film holds matplotlib's settings; a figure printed from another thread meanwhile waits, and is not changed."""
    alone = figure_to_matplotlib(flat(slider=False), frame="first")
    results: list[object] = []

    def other() -> None:
        results.append(figure_to_matplotlib(flat(slider=False), frame="first"))

    thread = threading.Thread(target=other)

    def begin(done: int, total: int) -> None:
        if not results and not thread.is_alive() and done < 3:
            thread.start()

    save(flat(), tmp_path / "a.gif", seconds=1, progress=begin, **SMALL)
    thread.join(30)
    assert len(results) == 1
    assert results[0].axes[0].get_xlim() == alone.axes[0].get_xlim()
