"""From an Altair chart to a picture inside the page."""

from __future__ import annotations

import hashlib
import json
import re
from html import escape

import altair as alt


def picture(chart: alt.Chart | alt.LayerChart, width: int, description: str) -> str:
    """Return the chart as an SVG inside a `<figure>`: it needs no script, no font and no network.

    Args:
        chart: any of `fer_core.figures`.
        width: of the plot in pixels.
        description: what it shows, for those who cannot see it.
    """
    import vl_convert

    shown = chart.properties(width=width).configure(font="system-ui, sans-serif").configure_view(stroke=None)
    with alt.data_transformers.enable("default", max_rows=None):
        spec = json.dumps(shown.to_dict())
    svg = _own_ids(vl_convert.vegalite_to_svg(spec))
    return f'<figure role="img" aria-label="{escape(description, quote=True)}">{svg}</figure>'


def _own_ids(svg: str) -> str:
    """Make a picture's ids its own: every picture counts its clipping paths from 0, and a page holds many."""
    own = "p" + hashlib.sha256(svg.encode()).hexdigest()[:10]
    return re.sub(r'(\bid="|url\(["\']?#|href="#)', rf"\g<1>{own}-", svg)
