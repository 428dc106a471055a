"""One set of axes with what is drawn in it: a figure by itself, or a part of a larger one."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from optiscope.figures.theme import Theme
from optiscope.figures.wording import paragraph

ROW = 24
"""Pixels that one row of a legend or of panel headings takes."""

LEGEND_ABOVE = {"orientation": "h", "x": 0.0, "xanchor": "left", "y": 1.0, "yanchor": "bottom", "traceorder": "normal"}
"""A legend in one row above the axes, out of the way of a colour bar."""

_LEGEND_ROW, _LETTER, _SAMPLE, _WIDTH = 18, 6.4, 58, 580
"""Pixels: a row of a legend, a letter in it, what stands before the letters, and the axes of a common figure."""

Domain = tuple[float, float]
"""Start and end of a panel along one side of the figure, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Traces and axes that are not placed yet."""

    title: str
    """What is shown."""
    traces: Sequence[Any] = ()
    """Plotly traces without axes."""
    x: Mapping[str, Any] = field(default_factory=dict)
    """Properties of the x axis."""
    y: Mapping[str, Any] = field(default_factory=dict)
    """Properties of the y axis."""
    notes: tuple[str, ...] = ()
    """Sentences that belong to the picture: what was thinned, smoothed, left out."""
    message: str = ""
    """Why there is nothing to draw; stands in the middle of empty axes."""
    legend: bool = True
    """Whether the traces need a legend when the panel stands alone."""
    legend_above: bool = False
    """Whether the legend stands above the axes, because a colour bar stands beside them."""

    def figure(self, theme: Theme, *, subtitle: Sequence[str] = ()) -> go.Figure:
        """The panel as a figure of its own."""
        figure = go.Figure()
        place(figure, self, theme, number=1)
        figure.update_layout(showlegend=self.legend)
        above = self.legend and self.legend_above
        if above:
            figure.update_layout(legend=LEGEND_ABOVE)
        head(figure, theme, self.title, (*subtitle, *self.notes), room=ROW if above else 0)
        return figure


def legend_room(names: Sequence[str]) -> int:
    """Pixels that a legend of these names takes above the axes: in columns as wide as the longest name needs."""
    if not names:
        return 0
    columns = max(1, int(_WIDTH // (_LETTER * max(map(len, names)) + _SAMPLE)))
    return 8 + _LEGEND_ROW * -(-len(names) // columns)


def listed_names(figure: go.Figure) -> list[str]:
    """The names in a figure's legend."""
    return [trace.name for trace in figure.data if trace.name and trace.showlegend is not False]


def head(figure: go.Figure, theme: Theme, title: str, sentences: Sequence[str] = (), *, room: int = 0) -> None:
    """Set template, title and subtitle, and make room for them and for `room` pixels between them and the axes."""
    text, lines = paragraph(sentences)
    figure.update_layout(
        template=theme.template,
        title={
            "text": title,
            "subtitle": {"text": text} if text else None,
            "x": 0.0,
            "xref": "paper",
            "xanchor": "left",
            "y": 1.0,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 16},
        },
        margin={"t": 56 + 17 * lines + room},
    )


def place(
    figure: go.Figure,
    panel: Panel,
    theme: Theme,
    *,
    number: int,
    x: Domain = (0.0, 1.0),
    y: Domain = (0.0, 1.0),
    heading: bool = False,
    legend: bool = True,
) -> None:
    """Draw `panel` on the axes `number` of `figure`, within the domains `x` and `y`, with its title above if asked."""
    suffix = "" if number == 1 else str(number)
    if heading:
        figure.add_annotation(
            text=f"<b>{panel.title}</b>",
            x=x[0],
            y=y[1],
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="bottom",
            yshift=4,
            showarrow=False,
            font={"size": 13, "color": theme.text},
        )
    if panel.message:
        figure.add_annotation(
            text=paragraph([panel.message], line=max(24, int(76 * (x[1] - x[0]))))[0],
            x=(x[0] + x[1]) / 2,
            y=(y[0] + y[1]) / 2,
            xref="paper",
            yref="paper",
            xanchor="center",
            yanchor="middle",
            showarrow=False,
            font={"size": 13, "color": theme.muted},
        )
    hidden: Mapping[str, Any] = {"showgrid": False, "showticklabels": False, "ticks": "", "range": [0, 1]}
    axes = (hidden, hidden) if panel.message else (panel.x, panel.y)
    figure.update_layout(
        {
            f"xaxis{suffix}": {"domain": list(x), "anchor": f"y{suffix}", **axes[0]},
            f"yaxis{suffix}": {"domain": list(y), "anchor": f"x{suffix}", **axes[1]},
        }
    )
    for trace in panel.traces:
        placed = copy.deepcopy(trace)
        placed.update(xaxis=f"x{suffix}", yaxis=f"y{suffix}")
        if not legend:
            placed.update(showlegend=False)
        _place_colour_bar(placed, x, y)
        figure.add_trace(placed)


def _place_colour_bar(trace: Any, x: Domain, y: Domain) -> None:
    holder = trace if trace.type == "heatmap" else trace.marker if trace.type == "scatter" else None
    if holder is None or holder.showscale is False or (holder is not trace and not holder.showscale):
        return
    holder.colorbar.update(
        x=x[1] + 0.012, xanchor="left", y=(y[0] + y[1]) / 2, yanchor="middle", len=y[1] - y[0], lenmode="fraction"
    )
