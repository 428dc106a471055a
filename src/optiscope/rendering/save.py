"""Writes a figure to a file, in the format that the suffix names."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from optiscope.errors import ArgumentError, UnknownName
from optiscope.rendering.target import path_of

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

_PRINTED = (".png", ".svg", ".pdf")
_SUFFIXES = (".html", ".json", *_PRINTED)
_FILMS = (".gif", ".mp4")


def save(
    result: object,
    path: str | os.PathLike[str],
    *,
    theme: Literal["light", "dark"] | None = None,
    width: float | None = None,
    height: float | None = None,
    frame: str | None = None,
    scale: float = 2.0,
    **visual: object,
) -> Path:
    """Write a result as .html, .json, .png, .svg or .pdf; the suffix chooses, in capitals or not.

    The file appears whole or not at all: it is written beside its place and then renamed. The same figure gives
    the same bytes (no time of day is written). .html works offline; .svg and .pdf keep text as text.

    Args:
        result: a plotly figure, or anything that `optiscope.plot` draws (a run, a series, a comparison, ...).
        path: where to; its folder must exist.
        theme: "light" or "dark"; None keeps the theme of a finished figure and draws anything else light.
        width: in CSS pixels (1/96 inch); the figure's own when None.
        height: in CSS pixels; the figure's own when None.
        frame: "first" prints the initial state of a moving figure, which .png, .svg and .pdf otherwise refuse.
        scale: image pixels of a .png for each CSS pixel.
        visual: further arguments for `optiscope.plot`.

    Returns:
        The path that was written.

    Raises:
        UnknownName: the suffix names no format.
        CannotDraw: the figure has a part without a faithful rendering in that format.
        ArgumentError: the folder does not exist, a size is no positive number, or `visual` arguments come with a
            finished figure.
    """
    target = path_of(path, what="A figure")
    _check_numbers(width=width, height=height, scale=scale)
    suffix = _known_suffix(target)
    if not target.parent.is_dir():
        raise ArgumentError(
            f"The folder of the file to be written does not exist; create it first. Received: {os.fspath(path)!r}."
        )
    if target.is_dir():
        raise ArgumentError(f"The file to be written is a folder; name a file in it. Received: {os.fspath(path)!r}.")
    figure = _figure_of(result, theme, visual)
    writer = _writer(figure, suffix, width=width, height=height, frame=frame, scale=scale)
    _write_whole(target, writer)
    return target


def _check_numbers(**sizes: object) -> None:
    for name, value in sizes.items():
        if value is None and name != "scale":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise ArgumentError(f"{name} is a positive number. Received: {name}={value!r}.")


def _known_suffix(target: Path) -> str:
    suffix = target.suffix.lower()
    if suffix in _FILMS:
        raise ArgumentError(
            f"Films (.gif, .mp4) are not available for a still figure; save it as one of {', '.join(_SUFFIXES)}. "
            f"Received: {target.name!r}."
        )
    if suffix not in _SUFFIXES:
        raise UnknownName.among(suffix or target.name, _SUFFIXES, kind="format that figures are saved in")
    return suffix


def _figure_of(result: object, theme: Literal["light", "dark"] | None, visual: dict[str, object]) -> go.Figure:
    import plotly.graph_objects as go

    if isinstance(result, go.Figure) and theme is None and not visual:
        return result
    from optiscope.figures import plot

    return plot(result, theme=theme or "light", **visual)  # type: ignore[arg-type]


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
