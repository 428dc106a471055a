"""Figures as web pages that need no network: one file, plotly.js inside."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from optiscope.errors import ArgumentError

if TYPE_CHECKING:
    import plotly.graph_objects as go

_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="{scheme}">
<meta name="generator" content="Optiscope">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
html, body {{ margin: 0; padding: 0; background: {background}; color: {foreground}; }}
body {{ font: 16px/1.5 system-ui, sans-serif; }}
.optiscope-figure {{ width: 100%; min-height: {height}; }}
</style>
{script}
</head>
<body>
<main>
{figure}
</main>
</body>
</html>
"""

_FRAGMENT = r"""<div class="optiscope-figure" id="{identifier}" role="img" aria-label="{label}"></div>
<script type="application/json" id="{identifier}-data">{data}</script>
<script>
(function () {{
  var place = document.getElementById("{identifier}");
  var figure = JSON.parse(document.getElementById("{identifier}-data").textContent);
  var config = {{responsive: true, displaylogo: false, showLink: false, plotlyServerURL: ""}};
  // On a telephone the title takes several lines, the legend stands below, and no icons stand over the title.
  var width = place.clientWidth, layout = figure.layout, title = layout.title || {{}};
  var axes = Object.keys(layout).filter(function (key) {{ return /^[xy]axis/.test(key); }});
  if (width && width < 560 && axes.length <= 2) {{
    var margin = Object.assign({{t: 60, b: 54, l: 70}}, layout.margin), extra = 0;
    [[title, 9.5, 22], [title.subtitle, 6.4, 17]].forEach(function (item) {{
      var part = item[0], letters = Math.floor((width - 84) / item[1]), lines = [""];
      if (!part || !part.text) {{ return; }}
      var before = part.text.split("<br>").length;
      part.text.replace(/<br>/g, " ").split(/\s+/).forEach(function (word) {{
        var last = lines.length - 1;
        if (lines[last] && lines[last].length + 1 + word.length > letters) {{ lines.push(word); }}
        else {{ lines[last] = lines[last] ? lines[last] + " " + word : word; }}
      }});
      part.text = lines.join("<br>");
      extra += (lines.length - before) * item[2];
    }});
    var names = figure.data.filter(function (trace) {{ return trace.name && trace.showlegend !== false; }});
    var below = layout.showlegend !== false && names.length > 1 ? 20 * names.length + 8 : 0;
    if (below) {{
      layout.legend = Object.assign({{}}, layout.legend, {{orientation: "h", xref: "container", x: 0.02,
        xanchor: "left", yref: "container", y: 0.01, yanchor: "bottom", entrywidth: width - 80,
        entrywidthmode: "pixels"}});
    }}
    Object.assign(margin, {{t: margin.t + extra, b: margin.b + below, l: Math.min(margin.l, 52), r: 16}});
    layout.margin = margin;
    layout.height = (layout.height || 560) + extra + below;
    (layout.updatemenus || []).forEach(function (menu) {{
      if (menu.direction === "right") {{ menu.x = -margin.l / Math.max(width - margin.l - 90, 120); }}
    }});
    config.displayModeBar = false;
  }}
  Plotly.newPlot(place, figure.data, figure.layout, config).then(function () {{
    if (figure.frames && figure.frames.length) {{ return Plotly.addFrames(place, figure.frames); }}
  }});
  // An animation that is interrupted, as by a pause button, is rejected by plotly.js, for no reason.
  window.addEventListener("unhandledrejection", function (event) {{
    if (event.reason === undefined) {{ event.preventDefault(); }}
  }});
}})();
</script>"""

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def figure_to_html(
    figure: go.Figure, *, title: str | None = None, language: str = "en", identifier: str = "figure"
) -> str:
    """One page with one figure that opens offline: everything is in the file and nothing is fetched.

    The figure follows the width of the window, down to that of a telephone, unless it fixes its own width.

    Args:
        figure: the plotly figure.
        title: of the page; that of the figure, in plain letters, when None.
        language: of the page, as in BCP 47.
        identifier: of the figure's element.
    """
    background, foreground, dark = _colours(figure)
    return _PAGE.format(
        language=html.escape(language),
        scheme="dark" if dark else "light",
        title=html.escape(title if title is not None else plain_title(figure)),
        background=background,
        foreground=foreground,
        height="auto" if figure.layout.height else "min(100vh, 600px)",
        script=plotly_script(),
        figure=figure_fragment(figure, identifier),
    )


def figure_fragment(figure: go.Figure, identifier: str) -> str:
    """The piece of a page that shows one figure. The page holds `plotly_script()` once, before all figures.

    Args:
        figure: the plotly figure.
        identifier: of the figure's element; unique on the page: letters, digits, "-", "_", a letter first.
    """
    if not _IDENTIFIER.fullmatch(identifier):
        raise ArgumentError(
            "The identifier of a figure on a page has letters, digits, '-' and '_', and begins with a letter. "
            f"Received: {identifier!r}."
        )
    return _FRAGMENT.format(
        identifier=identifier, label=html.escape(plain_title(figure), quote=True), data=inert(_json(figure))
    )


@lru_cache(maxsize=1)
def plotly_script() -> str:
    """The script element with plotly.js, from the installed plotly package."""
    from plotly.offline import get_plotlyjs

    # plotly.js is written to be put into a page, but an end tag within a string literal would end the element.
    source = re.sub(r"</(script)", r"<\\/\1", get_plotlyjs(), flags=re.IGNORECASE)
    return f"<script>{source}</script>"


def _json(figure: go.Figure) -> str:
    """The figure as JSON; NaN and infinity become null, which plotly.js draws as a gap."""
    text = figure.to_json(remove_uids=False)
    assert isinstance(text, str)
    return text


def inert(text: str) -> str:
    """JSON that cannot end its script element, whatever its strings hold."""
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def plain_title(figure: go.Figure) -> str:
    """The title of a figure without its markup."""
    text = figure.layout.title.text or "Optiscope figure"
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))).strip()


def _colours(figure: go.Figure) -> tuple[str, str, bool]:
    """Background, foreground, and whether the page is dark."""
    from optiscope.rendering.printing.colours import parse_colour

    template = figure.layout.template.layout
    paper = figure.layout.paper_bgcolor or template.paper_bgcolor or "white"
    ink = figure.layout.font.color or template.font.color or "#444"
    red, green, blue, opacity = parse_colour(paper)
    dark = opacity > 0.5 and 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
    return _css(paper), _css(ink), dark


def _css(colour: str) -> str:
    from optiscope.rendering.printing.colours import parse_colour

    red, green, blue, opacity = parse_colour(colour)
    return f"rgba({red * 255:.0f}, {green * 255:.0f}, {blue * 255:.0f}, {opacity:g})"
