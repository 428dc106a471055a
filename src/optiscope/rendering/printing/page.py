"""The sheet that everything is drawn on: figure, plotting area, axes, panels, and what waits to be placed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, Transform

from optiscope.errors import ArgumentError
from optiscope.rendering.printing.axis import Axis
from optiscope.rendering.printing.colours import ColourMapping, Rgba, colour_mapping, parse_colour
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.specification import Specification
from optiscope.rendering.printing.text import Font
from optiscope.rendering.printing.vocabulary import Vocabulary

DPI = 96
"""One pixel of the figure is one CSS pixel, so that text has the size that the figure asks for."""

COLOUR_AXIS = Vocabulary.of("autocolorscale cauto cmax cmid cmin colorbar.* colorscale reversescale showscale")

_PLOTLY_COLOURWAY = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Margins:
    """Pixels between the edge of the figure and the plotting area."""

    left: float
    right: float
    top: float
    bottom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A pair of axes on which traces are drawn."""

    x: Axis
    y: Axis
    axes: Axes


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendEntry:
    """One line of a legend."""

    trace: Part
    number: int
    """Place of the trace in the figure."""
    handle: Artist
    """A miniature of the trace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourBarRequest:
    """A colour bar to be placed beside the plotting area."""

    part: Part
    mapping: ColourMapping
    levels: tuple[float, ...] = ()
    """Borders between the steps of a filled contour; empty for a smooth bar."""


@dataclass(slots=True, kw_only=True, eq=False)
class Page:
    """Everything that the drawing functions share while one figure is being printed."""

    specification: Specification
    width: float
    """In pixels."""
    height: float
    """In pixels."""
    figure: Figure
    margins: Margins
    font: Font
    paper: Rgba
    """Colour around the plotting area."""
    ground: Rgba
    """Colour of the plotting area."""
    axes: dict[str, Axis] = field(default_factory=dict)
    """By name, such as "xaxis2"."""
    panels: dict[tuple[str, str], Panel] = field(default_factory=dict)
    """By the names of the two axes."""
    legend_entries: list[LegendEntry] = field(default_factory=list)
    colour_bars: list[ColourBarRequest] = field(default_factory=list)
    shared_mappings: dict[str, ColourMapping] = field(default_factory=dict)
    """Of the colour axes, by name."""

    @property
    def layout(self) -> Part:
        """The layout of the figure."""
        return self.specification.layout

    @property
    def area_size(self) -> tuple[float, float]:
        """Width and height of the plotting area in pixels."""
        margins = self.margins
        return (self.width - margins.left - margins.right, self.height - margins.top - margins.bottom)

    def place(self, x: tuple[float, float], y: tuple[float, float]) -> tuple[float, float, float, float]:
        """Left, bottom, width and height, in fractions of the figure, of a rectangle in fractions of the area."""
        wide, high = self.area_size
        left = (self.margins.left + x[0] * wide) / self.width
        bottom = (self.margins.bottom + y[0] * high) / self.height
        return (left, bottom, (x[1] - x[0]) * wide / self.width, (y[1] - y[0]) * high / self.height)

    def area_transform(self) -> Transform:
        """From fractions of the plotting area ("paper" coordinates) to the display."""
        left, bottom, wide, high = self.place((0.0, 1.0), (0.0, 1.0))
        return Affine2D().scale(wide, high).translate(left, bottom) + self.figure.transFigure

    def colour_of(self, number: int) -> Rgba:
        """The colour that the trace at this place takes when it names none."""
        asked = self.layout.column("colorway")
        way = [str(colour) for colour in asked] if asked is not None and len(asked) else list(_PLOTLY_COLOURWAY)
        return parse_colour(way[number % len(way)])

    def mapping(self, part: Part, values: Float[np.ndarray, ...], *, letter: str) -> ColourMapping:
        """How the values of a trace, or of its markers, become colours; asks for a colour bar if there should be one.

        Args:
            part: holds `colorscale`, `{letter}min`, ..., or names a shared `coloraxis`.
            values: numbers to be coloured; only their extremes count.
            letter: "z" for heat maps and contours, "c" otherwise.
        """
        shared = part.text("coloraxis")
        if shared:
            return self.shared_mappings[shared]
        mapping = colour_mapping(values, part, self.layout, letter=letter)
        if part.flag("showscale", default=letter == "z" or part.raw("colorbar.title") is not None):
            self.colour_bars.append(ColourBarRequest(part=part.part("colorbar"), mapping=mapping))
        return mapping

    def share_mappings(self, values: dict[str, list[Float[np.ndarray, ...]]]) -> None:
        """Resolve the colour axes from the values of all traces that use them."""
        for name, arrays in values.items():
            part = self.specification.numbered("coloraxis", name)
            COLOUR_AXIS.check(part.properties, part=part.name)
            joined = np.concatenate([array.ravel() for array in arrays])
            mapping = colour_mapping(joined, part, self.layout, letter="c")
            self.shared_mappings[name] = mapping
            if part.flag("showscale", default=True):
                self.colour_bars.append(ColourBarRequest(part=part.part("colorbar"), mapping=mapping))

    def axis(self, reference: str) -> Axis:
        """The axis that traces, shapes and annotations call "x", "y2", ..."""
        name = f"{reference[:1]}axis{reference[1:]}"
        if name not in self.axes:
            known = ", ".join(axis.identifier for axis in self.axes.values()) or "(none)"
            raise ArgumentError(f"The figure has no axis {reference!r}. It has: {known}. Received: {reference!r}.")
        return self.axes[name]

    def first_reference(self, letter: str) -> str:
        """What shapes and annotations refer to when they name nothing: the first axis, or the sheet."""
        return next((axis.identifier for axis in self.axes.values() if axis.letter == letter), "paper")

    def axes_of(self, axis: Axis) -> Axes:
        """The matplotlib axes that show an axis."""
        return next(panel.axes for panel in self.panels.values() if axis in (panel.x, panel.y))


def new_page(specification: Specification, *, width: float, height: float) -> Page:
    """An empty sheet with the figure's background, font and margins."""
    layout = specification.layout
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    paper = parse_colour(layout.text("paper_bgcolor", "#fff"))
    figure.set_facecolor(paper)
    base = Font().of(layout)
    return Page(
        specification=specification,
        width=width,
        height=height,
        figure=figure,
        margins=Margins(
            left=layout.number("margin.l", 80.0),
            right=layout.number("margin.r", 80.0),
            top=layout.number("margin.t", 100.0),
            bottom=layout.number("margin.b", 80.0),
        ),
        font=base,
        paper=paper,
        ground=parse_colour(layout.text("plot_bgcolor", "#fff")),
    )
