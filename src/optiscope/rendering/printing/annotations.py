"""Annotations: texts, with or without an arrow, in data, domain or paper coordinates."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.transforms import Transform, blended_transform_factory

from optiscope.rendering.printing.axis import Axis
from optiscope.rendering.printing.colours import parse_colour, with_opacity
from optiscope.rendering.printing.page import Page
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.strokes import points
from optiscope.rendering.printing.text import lettering
from optiscope.rendering.printing.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of(
    """
    align arrowcolor arrowhead arrowside arrowsize arrowwidth ax ay bgcolor bordercolor borderpad borderwidth font.*
    opacity showarrow standoff startstandoff text textangle valign visible x xanchor xref xshift y yanchor yref yshift
    """,
    values={"axref": ("pixel",), "ayref": ("pixel",), "startarrowhead": (0,)},
    harmless="startarrowsize",
)

_ACROSS = {"left": "left", "center": "center", "right": "right"}
_UP = {"top": "top", "middle": "center", "bottom": "bottom"}
_HEADS = {0: "-", 1: "-|>", 2: "-|>", 3: "-|>", 4: "->", 5: "-|>", 6: "-|>", 7: "-|>", 8: "-|>"}


def draw_annotation(part: Part, page: Page) -> Annotation | None:
    """Draw one annotation of the layout."""
    VOCABULARY.check(part.properties, part=part.name)
    if not part.flag("visible", default=True):
        return None
    axes, place, transform = place_of(part, page, log_exponents=True)
    arrow = part.flag("showarrow", default=True)
    text = lettering(part.text("text", "new text" if arrow else ""), page.font.of(part), part=part.name)
    offset = (part.number("xshift", 0.0), part.number("yshift", 0.0))
    if arrow:
        offset = (offset[0] + part.number("ax", -10.0), offset[1] - part.number("ay", -30.0))
    colour = parse_colour(part.text("arrowcolor", "#444"))
    strength = part.number("opacity", 1.0)
    shape = None
    if arrow:
        head = int(part.number("arrowhead", 1.0))
        width = points(part.number("arrowwidth", 2.0))
        shape = {
            "arrowstyle": _HEADS.get(head, "-|>"), "color": with_opacity(colour, strength), "linewidth": width,
            "shrinkA": points(part.number("startstandoff", 0.0)), "shrinkB": points(part.number("standoff", 0.0)),
            "mutation_scale": 3.0 * width * part.number("arrowsize", 1.0) + 2.0,
        }  # fmt: skip
        if "none" in part.text("arrowside", "end") or "end" not in part.text("arrowside", "end"):
            shape["arrowstyle"] = "-"
    horizontally = _anchor(part, "x", page, arrow=arrow, choices=("left", "center", "right"))
    vertically = _anchor(part, "y", page, arrow=arrow, choices=("bottom", "middle", "top"))
    annotation = Annotation(
        "", place, xycoords=transform, xytext=(points(offset[0]), points(offset[1])), textcoords="offset points",
        ha=_ACROSS[horizontally], va=_UP[vertically], arrowprops=shape, annotation_clip=False, zorder=8.0,
        multialignment=part.text("align", "center"), rotation=-part.number("textangle", 0.0),
    )  # fmt: skip
    text.dress(annotation)
    annotation.set_alpha(strength if strength < 1 else None)
    if part.raw("bgcolor") is not None or part.raw("bordercolor") is not None:
        annotation.set_bbox(
            {
                "facecolor": with_opacity(parse_colour(part.text("bgcolor", "transparent")), strength),
                "edgecolor": parse_colour(part.text("bordercolor", "transparent")),
                "linewidth": points(part.number("borderwidth", 1.0)),
                "boxstyle": f"square,pad={part.number('borderpad', 1.0) / max(text.font.size, 1.0) + 0.1}",
            }
        )
    if axes is None:
        page.figure.add_artist(annotation)
    else:
        axes.add_artist(annotation)
    return annotation


def place_of(part: Part, page: Page, *, log_exponents: bool) -> tuple[Axes | None, tuple[float, float], Transform]:
    """Where an item is: the matplotlib axes that holds it (None: the whole sheet), its place and their transform."""
    references = [part.text(f"{letter}ref", page.first_reference(letter)) for letter in "xy"]
    owner: Axes | None = None
    places, transforms = [], []
    for letter, reference in zip("xy", references, strict=True):
        value = part.raw(letter)
        if reference == "paper":
            places.append(part.number(letter, 0.5))
            transforms.append(page.area_transform())
            continue
        axis = page.axis(reference.removesuffix(" domain"))
        home = page.axes_of(axis)
        if reference.endswith(" domain"):
            places.append(part.number(letter, 0.5))
            transforms.append(home.transAxes)
        else:
            owner = owner or home
            places.append(_coordinate(axis, value, log_exponents=log_exponents))
            transforms.append(home.transData)
    return owner, (places[0], places[1]), blended_transform_factory(*transforms)


def _coordinate(axis: Axis, value: object, *, log_exponents: bool) -> float:
    """Plotly places annotations on a logarithmic axis by the exponent, shapes by the number itself."""
    if axis.kind == "log" and not log_exponents:
        return float(axis.coordinates([value])[0])
    unit = axis.unit(value)
    return 10.0**unit if axis.kind == "log" else unit


def coordinate_of(axis: Axis, value: object) -> float:
    """The matplotlib coordinate of a shape's end."""
    return _coordinate(axis, value, log_exponents=False)


def _anchor(part: Part, letter: str, page: Page, *, arrow: bool, choices: tuple[str, str, str]) -> str:
    """The point of the text that is placed.

    Without an anchor, a text on the sheet hangs by the end that is nearer to the edge; one in data, or at the end of
    an arrow, is centred.
    """
    asked = part.text(f"{letter}anchor", "auto")
    if asked != "auto":
        return asked
    reference = part.text(f"{letter}ref", page.first_reference(letter))
    if arrow or not (reference == "paper" or reference.endswith(" domain")):
        return choices[1]
    value = part.number(letter, 0.5)
    return choices[0] if value < 1 / 3 else choices[2] if value > 2 / 3 else choices[1]
