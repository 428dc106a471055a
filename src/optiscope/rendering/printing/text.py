"""Plotly's small HTML in texts (<br>, <b>, <i>, <sup>, <sub>, <a>, <span>) as matplotlib text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from html.parser import HTMLParser

from matplotlib import font_manager
from matplotlib.text import Text

from optiscope.errors import CannotDraw
from optiscope.rendering.printing.colours import Rgba, parse_colour
from optiscope.rendering.printing.part import Part

POINTS_PER_PIXEL = 72.0 / 96.0
"""A CSS pixel is 1/96 inch; matplotlib counts in points of 1/72 inch."""

_GENERIC = {"sans-serif": "DejaVu Sans", "serif": "DejaVu Serif", "monospace": "DejaVu Sans Mono"}
_TWINS = {
    "arial": "liberation sans",
    "helvetica": "liberation sans",
    "times new roman": "liberation serif",
    "courier new": "liberation mono",
}
"""Fonts that browsers, too, take where the named one is not installed: their letters are as wide."""
_IN_FORMULA = re.compile(r"[A-Za-z0-9 .,;:!?()+*/=<>'@|\[\]\u00a1-\uffff]+")
_PIECES = re.compile(rf"{_IN_FORMULA.pattern}|[^A-Za-z0-9 .,;:!?()+*/=<>'@|\[\]\u00a1-\uffff]+")
_ACCENTS = {"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "sup": "superscript", "sub": "subscript"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Font:
    """How a text is set."""

    family: tuple[str, ...] = ("DejaVu Sans",)
    """Names of installed fonts, the first that has a glyph draws it."""
    size: float = 12.0
    """Height in CSS pixels."""
    colour: Rgba = (0.27, 0.27, 0.27, 1.0)
    weight: str | int = "normal"
    style: str = "normal"

    def of(self, part: Part, path: str = "font", *, scale: float = 1.0) -> Font:
        """This font with what the font at `path` of a part changes. `scale` is the default size against this font."""
        own = part.part(path)
        family, colour = own.raw("family"), own.raw("color")
        weight = own.raw("weight")
        return replace(
            self,
            family=self.family if family is None else installed_family(str(family)),
            size=own.number("size", self.size * scale),
            colour=self.colour if colour is None else parse_colour(colour),
            weight=self.weight if weight is None else weight if isinstance(weight, int) else str(weight),
            style=own.text("style", self.style),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Letters that look alike."""

    letters: str
    accents: frozenset[str]


class _Reader(HTMLParser):
    def __init__(self, part: str) -> None:
        super().__init__(convert_charrefs=True)
        self.part = part
        self.open: list[str] = []
        self.runs: list[_Run] = []
        self.colour: str | None = None
        self.size: float | None = None
        self.spans = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.runs.append(_Run(letters="\n", accents=frozenset()))
        elif tag == "span":
            self.spans += 1
            self._style(dict(attrs).get("style") or "")
        elif tag in _ACCENTS:
            self.open.append(_ACCENTS[tag])
        elif tag != "a":
            raise CannotDraw(
                f"The text of the {self.part} uses <{tag}>, which the printer (.png, .svg, .pdf) cannot set. "
                "It sets <br>, <b>, <i>, <sup>, <sub>, <a> and one <span> around the whole. Save as .html instead."
            )

    def handle_endtag(self, tag: str) -> None:
        accent = _ACCENTS.get(tag)
        if accent is not None and accent in self.open:
            self.open.reverse()
            self.open.remove(accent)
            self.open.reverse()

    def handle_data(self, data: str) -> None:
        # No font has signs for control characters, line ends among them: a browser shows them as blanks, too.
        letters = "".join(letter if letter.isprintable() else " " for letter in data)
        self.runs.append(_Run(letters=letters, accents=frozenset(self.open)))

    def _style(self, style: str) -> None:
        whole = self.spans == 1 and not self.runs and not self.open
        for declaration in filter(None, (piece.strip() for piece in style.split(";"))):
            key, _, value = (piece.strip() for piece in declaration.partition(":"))
            if whole and key == "color":
                self.colour = value
            elif whole and key == "font-size" and value.endswith("px"):
                self.size = float(value.removesuffix("px"))
            else:
                raise CannotDraw(
                    f"The text of the {self.part} styles a part of itself with {declaration!r}; the printer "
                    "(.png, .svg, .pdf) can only colour and size a text as a whole. Save as .html instead."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettering:
    """A text ready for matplotlib."""

    text: str
    """With matplotlib's escapes; formulas between dollar signs carry the accents."""
    font: Font

    def dress(self, artist: Text) -> Text:
        """Put the text and its font on an artist."""
        artist.set_text(self.text)
        artist.set_fontfamily(list(self.font.family))
        artist.set_fontsize(self.font.size * POINTS_PER_PIXEL)
        artist.set_color(self.font.colour)
        artist.set_fontweight(self.font.weight)
        artist.set_fontstyle(self.font.style)  # type: ignore[arg-type, unused-ignore]
        artist.set_math_fontfamily("dejavusans")
        return artist


def lettering(text: str, font: Font, *, part: str) -> Lettering:
    """Read plotly's small HTML. Raises `CannotDraw` for a tag that cannot be set."""
    reader = _Reader(part)
    reader.feed(text)
    reader.close()
    if reader.colour is not None:
        font = replace(font, colour=parse_colour(reader.colour))
    if reader.size is not None:
        font = replace(font, size=reader.size)
    seen = [run for run in reader.runs if run.letters.strip()]
    shared = frozenset.intersection(*(run.accents for run in seen)) if seen else frozenset[str]()
    shared &= {"bold", "italic"}
    if "bold" in shared:
        font = replace(font, weight="bold")
    if "italic" in shared:
        font = replace(font, style="italic")
    return Lettering(text="".join(_set(run, run.accents - shared) for run in reader.runs), font=font)


def _set(run: _Run, accents: frozenset[str]) -> str:
    if not accents or not run.letters.strip():
        return run.letters.replace("$", r"\$")
    command = {(True, False): "mathbf", (False, True): "mathit", (True, True): "mathbfit"}.get(
        ("bold" in accents, "italic" in accents)
    )
    inner = "".join(
        _accented(piece, command) if command and _IN_FORMULA.fullmatch(piece) else _plain(piece)
        for piece in _PIECES.findall(run.letters)
    )
    if "superscript" in accents:
        inner = f"^{{{inner}}}"
    elif "subscript" in accents:
        inner = f"_{{{inner}}}"
    return f"${inner}$"


def _accented(letters: str, command: str) -> str:
    spaced = letters.replace(" ", r"\ ")
    return rf"\{command}{{{spaced}}}"


def _plain(letters: str) -> str:
    """Letters that a formula takes as they are, without an accent: formulas know no bold number sign."""
    escaped = "".join(rf"\{letter}" if letter in r"\{}$" else letter for letter in letters)
    return rf"\text{{{escaped}}}"


@lru_cache(maxsize=64)
def installed_family(names: str) -> tuple[str, ...]:
    """Those of the comma-separated CSS font names that are installed, then the font that matplotlib brings along."""
    installed = _installed()
    wanted = [re.sub(r"[\"']", "", name).strip() for name in names.split(",")]
    found = [
        _GENERIC.get(name.lower(), installed.get(name.lower(), installed.get(_TWINS.get(name.lower(), ""), "")))
        for name in wanted
    ]
    return tuple(dict.fromkeys([*filter(None, found), "DejaVu Sans"]))


@lru_cache(maxsize=1)
def _installed() -> dict[str, str]:
    return {name.lower(): name for name in font_manager.fontManager.get_font_names()}
