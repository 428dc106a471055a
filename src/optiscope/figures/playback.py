"""Slider and buttons of figures that move."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from optiscope.figures.theme import Theme

ROOM = 116
"""Pixels below the axes that the controls take."""
MILLISECONDS = 33
"""Length of a frame at the common speed: thirty a second."""

_SPEEDS = (("¼×", 4.0), ("½×", 2.0), ("1×", 1.0), ("2×", 0.5))


def add_playback(
    figure: go.Figure,
    frames: Sequence[Mapping[str, Any]],
    theme: Theme,
    *,
    active: int,
    redraw: bool,
    slowly: bool = False,
    linger: bool = False,
) -> None:
    """Give a figure its frames, a slider over them, and buttons to play at several speeds and to pause.

    Args:
        figure: shows the frame `active` already.
        frames: named by what the slider says.
        theme: for the colours.
        active: index of the frame that the figure shows.
        redraw: whether frames change more than lines and marks of flat axes; slower.
        slowly: whether a frame takes six times as long, so that it can be looked at.
        linger: whether films show the beginning more slowly than the rest.
    """
    # Assigning to `frames` checks every trace of every frame anew, which takes longer than all the rest of a figure.
    # These are plain positions of traces that were checked; a test holds that they arrive as they would by assignment.
    figure._frame_objs = tuple(go.Frame(_validate=False, **frame) for frame in frames)
    buttons: list[dict[str, Any]] = [
        {
            "label": label,
            "method": "animate",
            "args": [None, _motion(MILLISECONDS * slower * (6 if slowly else 1), redraw=redraw, going_on=True)],
        }
        for label, slower in (("▶", 1.0), *_SPEEDS)
    ]
    buttons.insert(1, {"label": "❚❚", "method": "animate", "args": [[None], _motion(0, redraw=redraw)]})
    looks: Mapping[str, Any] = {
        "bgcolor": theme.background,
        "bordercolor": theme.muted,
        "font": {"color": theme.text, "size": 12},
    }
    figure.update_layout(
        updatemenus=[
            {
                "type": "buttons",
                "direction": "right",
                "showactive": False,
                "buttons": buttons,
                "x": 0.0,
                "xanchor": "left",
                "y": 0.0,
                "yanchor": "top",
                "pad": {"t": 116, "l": 0},
                **looks,
            }
        ]
    )
    figure.update_layout(
        sliders=[
            {
                "active": active,
                "steps": [
                    {
                        "label": frame["name"],
                        "method": "animate",
                        "args": [[frame["name"]], _motion(0, redraw=redraw)],
                    }
                    for frame in frames
                ],
                "currentvalue": {
                    "prefix": "step ",
                    "xanchor": "right",
                    "offset": 8,
                    "font": {"size": 13, "color": theme.text},
                },
                "x": 0.0,
                "len": 1.0,
                "y": 0.0,
                "yanchor": "top",
                "pad": {"t": 32, "l": 0, "r": 0},
                "ticklen": 4,
                "minorticklen": 0,
                "tickwidth": 1,
                "tickcolor": theme.muted,
                "bgcolor": theme.grid,
                "activebgcolor": theme.muted,
                "bordercolor": theme.muted,
                "borderwidth": 1,
                "font": {"color": theme.muted, "size": 11},
            }
        ],
        margin={"b": 54 + ROOM},
        meta={"linger": True} if linger else None,
    )


def packed(points: Float[np.ndarray, "n axes"]) -> dict[str, dict[str, str]]:
    """The columns of points as x, y (and z) of a trace, in plotly's form for numbers that need no check of each.

    Hundreds of frames with a dozen traces each take seconds to check otherwise. Seven digits are enough for a picture.
    """
    with np.errstate(over="ignore"):
        columns = points.astype("<f4").T
    return {
        letter: {"dtype": "f4", "bdata": base64.b64encode(column.tobytes()).decode()}
        for letter, column in zip("xyz", columns, strict=False)
    }


def _motion(duration: float, *, redraw: bool, going_on: bool = False) -> dict[str, Any]:
    return {
        "frame": {"duration": duration, "redraw": redraw},
        "transition": {"duration": 0},
        "mode": "immediate",
        **({"fromcurrent": True} if going_on else {}),
    }
