"""Figures on paper, in files and on pages: print (matplotlib), html, save."""

from __future__ import annotations

from optiscope.rendering.html import figure_fragment, figure_to_html, plotly_script
from optiscope.rendering.printing import figure_to_matplotlib
from optiscope.rendering.save import save

__all__ = ["figure_fragment", "figure_to_html", "figure_to_matplotlib", "plotly_script", "save"]
