"""Images: pixels as they are, from an array or from a data URI."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np

from optiscope.errors import ArgumentError, CannotDraw
from optiscope.rendering.printing.page import Page, Panel
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of(
    "z source x0 dx y0 dy xaxis yaxis opacity visible zmin zmax zorder",
    values={"colormodel": ("rgb", "rgba", "rgba256"), "zsmooth": (False, "fast"), "showlegend": (False,)},
    harmless="legendgroup legendrank text",
)


def pixels(trace: Part) -> np.ndarray:
    """Rows × columns × 4 numbers in 0..1."""
    source = trace.text("source")
    given = trace.column("z")
    if given is not None:
        return _scaled(trace, np.asarray(given, dtype=float))
    if not source.startswith("data:image/"):
        raise CannotDraw(
            f"The source of the {trace.name} is not a data URI; the printer fetches nothing. "
            f"Give the pixels as z, or as data:image/png;base64,... Received: {source[:40]!r}."
        )
    from matplotlib.image import pil_to_array
    from PIL import Image

    try:
        with Image.open(BytesIO(base64.b64decode(source.partition("base64,")[2]))) as image:
            return np.asarray(pil_to_array(image.convert("RGBA")), dtype=float) / 255.0
    except (OSError, ValueError) as problem:
        raise ArgumentError(
            f"The source of the {trace.name} is not a readable image ({problem}). Received: {source[:40]!r}."
        ) from problem


def _scaled(trace: Part, z: np.ndarray) -> np.ndarray:
    channels = z.shape[2] if z.ndim == 3 else 0
    if channels not in (3, 4):
        raise ArgumentError(f"The z of the {trace.name} must be rows × columns × 3 or 4. Received: {z.shape}.")
    model = trace.text("colormodel", "rgb" if channels == 3 else "rgba256")
    tops = [255.0] * 3 + [1.0 if model == "rgba" else 255.0]
    low = np.resize(np.asarray(trace.column("zmin") or [0.0], dtype=float), channels)
    high = np.asarray(trace.column("zmax") or tops[:channels], dtype=float)[:channels]
    scaled = np.clip((z - low) / (high - low), 0.0, 1.0)
    solid = np.ones((*z.shape[:2], 1))
    rgba = scaled if channels == 4 else np.concatenate([scaled, solid], axis=2)
    rgba[~np.isfinite(z).all(axis=2)] = 0.0
    return rgba


def columns(trace: Part) -> tuple[np.ndarray, np.ndarray]:
    """Centres of the pixel columns and rows."""
    rows, wide = pixels(trace).shape[:2]
    x = trace.number("x0", 0.0) + trace.number("dx", 1.0) * np.arange(wide)
    return x, trace.number("y0", 0.0) + trace.number("dy", 1.0) * np.arange(rows)


def draw(trace: Part, number: int, panel: Panel, page: Page) -> None:
    """Draw one image; its rows count downwards and its pixels are square, unless the axes say otherwise."""
    rgba = pixels(trace)
    rgba[..., 3] *= trace.number("opacity", 1.0)
    x0, dx, y0, dy = (
        trace.number(name, default) for name, default in (("x0", 0.0), ("dx", 1.0), ("y0", 0.0), ("dy", 1.0))
    )
    rows, wide = rgba.shape[:2]
    edges_x = np.array([x0 - dx / 2, x0 + dx * (wide - 0.5)])
    edges_y = np.array([y0 - dy / 2, y0 + dy * (rows - 0.5)])
    panel.axes.imshow(
        rgba, extent=(edges_x[0], edges_x[1], edges_y[1], edges_y[0]), aspect="auto", origin="upper",
        interpolation="bilinear" if trace.raw("zsmooth") == "fast" else "nearest",
        zorder=0.9 + 1e-3 * trace.number("zorder", 0) + 1e-6 * number,
    )  # fmt: skip
    panel.x.show(edges_x)
    panel.y.show(edges_y)
    panel.y.reversed_by_default = True
    if panel.y.part.raw("scaleanchor") is None:
        panel.y.anchored_by_default = panel.x.identifier
