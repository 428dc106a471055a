"""Writes a figure to a file, in the format that the suffix names."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from optiscope.errors import ArgumentError, UnknownName
from optiscope.rendering.target import path_of

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

    from optiscope.rendering.film.progress import Progress

_PRINTED = (".png", ".svg", ".pdf")
_FILMS = (".gif", ".mp4")
_SUFFIXES = (".html", ".json", *_PRINTED, *_FILMS)


def save(
    result: object,
    path: str | os.PathLike[str],
    *,
    theme: Literal["light", "dark"] | None = None,
    width: float | None = None,
    height: float | None = None,
    frame: str | None = None,
    scale: float | None = None,
    fps: float | None = None,
    seconds: float | None = None,
    progress: Progress | bool = False,
    **visual: object,
) -> Path:
    """Write a result as .html, .json, .png, .svg or .pdf, or a moving one as .mp4 or .gif; the suffix chooses.

    The file appears whole or not at all: it is written beside its place and then renamed. The same figure gives
    the same bytes (no time of day is written). .html works offline; .svg and .pdf keep text as text. A race becomes a
    page with everything about it as .html, unless a `view` is asked for; printed it stands still.

    Args:
        result: a plotly figure, or anything that `optiscope.plot` draws (a run, a series, a comparison, a race, ...).
        path: where to; its folder must exist.
        theme: "light" or "dark"; None keeps the theme of a finished figure and draws anything else light. The page of
            a race follows its reader's system when None.
        width: in CSS pixels (1/96 inch); the figure's own when None. Of a film in its pixels; 1280, of a .gif 960.
        height: in CSS pixels; the figure's own when None. Of a film in its pixels; 9/16 of the width.
        frame: "first" prints the initial state of a moving figure, which .png, .svg and .pdf otherwise refuse.
        scale: image pixels for each CSS pixel: of a .png 2 when None, of a film as many as make it 540 CSS pixels high.
        fps: of a film, frames a second; 30 when None.
        seconds: of a film, its length; when None as long as its frames take, but at least four seconds of movement,
            and a second more for the end.
        progress: of a film, True shows a bar on the terminal; a function is called with the number of frames written
            and their total.
        visual: further arguments for `optiscope.plot`, such as view="surface".

    Returns:
        The path that was written.

    Raises:
        UnknownName: the suffix names no format.
        CannotDraw: the figure has a part without a faithful rendering in that format.
        ArgumentError: the folder does not exist or cannot be written to, a size is no positive number, a film of what
            stands still is asked for, or `visual` arguments come with a finished figure.
        MissingDependency: there is no ffmpeg for an .mp4.
    """
    target = checked_target(path)
    suffix = target.suffix.lower()
    _check_numbers(width=width, height=height, scale=scale, fps=fps, seconds=seconds)
    if suffix not in _FILMS and (fps is not None or seconds is not None):
        raise ArgumentError(f"fps and seconds are for films ({', '.join(_FILMS)}). Received: {target.name!r}.")
    page = None if suffix != ".html" or visual else _page_of(result, theme)
    if page is not None:
        write: Callable[[Path], None] = partial(_write_text, content=page)
    else:
        figure = _figure_of(result, theme, visual, still=suffix in _PRINTED and frame is None)
        if suffix in _FILMS:
            write = _film_writer(
                figure, target, width=width, height=height, scale=scale, fps=fps, seconds=seconds, progress=progress
            )
        else:
            write = _writer(figure, suffix, width=width, height=height, frame=frame, scale=scale or 2.0)
    _write_whole(target, write)
    return target


def checked_target(path: str | os.PathLike[str]) -> Path:
    """The path that `save` would write to: what it would refuse can be known before what is saved is computed.

    Raises:
        UnknownName: the suffix names no format.
        ArgumentError: the folder does not exist or cannot be written to, or the path is a folder.
        MissingDependency: there is no ffmpeg for an .mp4.
    """
    target = path_of(path, what="A figure")
    suffix = target.suffix.lower()
    if suffix not in _SUFFIXES:
        raise UnknownName.among(suffix or target.name, _SUFFIXES, kind="format that figures are saved in")
    if not target.parent.is_dir():
        raise ArgumentError(
            f"The folder of the file to be written does not exist; create it first. Received: {os.fspath(path)!r}."
        )
    if target.is_dir():
        raise ArgumentError(f"The file to be written is a folder; name a file in it. Received: {os.fspath(path)!r}.")
    if not _can_write(target.parent):
        raise ArgumentError(
            f"Nothing can be written to that folder; choose another, or change its permissions. "
            f"Received: {os.fspath(path)!r}."
        )
    if suffix == ".mp4":
        from optiscope.rendering.film.mp4 import ffmpeg

        ffmpeg()
    return target


def _can_write(folder: Path) -> bool:
    """Whether a file can be made there: trying tells more than the permissions do."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _check_numbers(**sizes: object) -> None:
    for name, value in sizes.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise ArgumentError(f"{name} is a positive number. Received: {name}={value!r}.")


def _page_of(result: object, theme: Literal["light", "dark"] | None) -> str | None:
    """The page that shows everything about a result; None for a result that has none but its figure."""
    from optiscope.experiments.race.result import Race

    if not isinstance(result, Race):
        return None
    from optiscope.rendering.race_page import race_page

    return race_page(result, theme=theme or "auto")


def _figure_of(
    result: object, theme: Literal["light", "dark"] | None, visual: dict[str, object], *, still: bool
) -> go.Figure:
    import plotly.graph_objects as go

    if isinstance(result, go.Figure):
        if theme is None and not visual:
            return result
        still = False
    from optiscope.figures.plot import plot, takes

    view = visual.get("view")
    if still and "animated" not in visual and takes(result, "animated", view=view if isinstance(view, str) else None):
        visual = {**visual, "animated": False}
    return plot(result, theme=theme or "light", **visual)  # type: ignore[arg-type]


def _film_writer(
    figure: go.Figure,
    target: Path,
    *,
    width: float | None,
    height: float | None,
    scale: float | None,
    fps: float | None,
    seconds: float | None,
    progress: Progress | bool,
) -> Callable[[Path], None]:
    """Everything that can fail because of the figure happens here, before a file is touched."""
    from optiscope.rendering.film import make_film
    from optiscope.rendering.film.progress import progress_bar

    film = make_film(
        figure, suffix=target.suffix, width=width, height=height, scale=scale, fps=fps or 30.0, seconds=seconds
    )

    def write(place: Path) -> None:
        if progress is True:
            with progress_bar(target.name) as show:
                film.write(place, show)
        else:
            film.write(place, progress or None)

    return write


def _writer(
    figure: go.Figure, suffix: str, *, width: float | None, height: float | None, frame: str | None, scale: float
) -> Callable[[Path], None]:
    """Everything that can fail because of the figure happens here, before a file is touched."""
    if suffix in _PRINTED:
        from optiscope.rendering.printing import figure_to_matplotlib

        printed = figure_to_matplotlib(figure, width_px=width, height_px=height, frame=frame)
        return lambda place: _print(printed, place, suffix, scale=scale)
    if width is not None or height is not None:
        import plotly.graph_objects as go

        figure = go.Figure(figure).update_layout(width=width, height=height)
    if suffix == ".json":
        content = figure.to_json()
    else:
        from optiscope.rendering.html import figure_to_html

        content = figure_to_html(figure)
    return lambda place: _write_text(place, content)


def _write_text(place: Path, content: str) -> None:
    place.write_text(content, encoding="utf-8", newline="\n")


def _print(printed: Figure, place: Path, suffix: str, *, scale: float) -> None:
    from optiscope.rendering.printing.page import DPI
    from optiscope.rendering.printing.settings import own_settings

    formats: dict[str, dict[str, object]] = {
        ".png": {"Software": "Optiscope"},
        ".svg": {"Date": None, "Creator": "Optiscope"},
        ".pdf": {"CreationDate": None, "ModDate": None, "Creator": "Optiscope", "Producer": "Optiscope"},
    }
    dpi = DPI * scale if suffix == ".png" else 2 * DPI
    with own_settings():
        printed.savefig(
            place,
            format=suffix[1:],
            dpi=dpi,
            metadata=formats[suffix],
            facecolor=printed.get_facecolor(),
            bbox_inches=None,
        )


def _write_whole(target: Path, write: Callable[[Path], None]) -> None:
    """Write beside the target, then rename: a reader never sees half a file, and a failure leaves the old one."""
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    beside = Path(name)
    try:
        write(beside)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        beside.chmod(mode)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """What the process takes away from new files; it can only be read by setting it."""
    current = os.umask(0)
    os.umask(current)
    return current
