"""The diagram of a network: a box for each block, from the input down to the head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from fer_core.columns import counted
from fer_core.figures.theme import ACCENT, FONT, INK, LARGE, MUTED, chart, hidden_axis, safe

ROW: Final = 46  # pixels from one box to the next
STATES: Final = {  # words, and fill, line and dash of the box
    "fixed": ("", "rgba(0,0,0,0)", MUTED, "dot"),
    "frozen": ("frozen", "rgba(138,148,160,0.35)", MUTED, "solid"),
    "trained": ("trained", "rgba(122,111,208,0.45)", ACCENT, "solid"),
    "added": ("added, trained", "rgba(42,157,143,0.45)", "#2A9D8F", "solid"),
}


def network_diagram(blocks: Sequence[Mapping[str, Any]], *, narrow: bool = False) -> go.Figure:
    """Return a diagram of the blocks of `fer_core.models.diagram.network_blocks`, readable on a projector.

    Each box has the name of the block, the shape of its output, its layers and weights, and what training does to it.
    """
    shapes, notes = [], []
    row = ROW * (1.5 if narrow else 1)
    for place, block in enumerate(blocks):
        words, fill, line, dash = STATES[block["state"]]
        height = {"y0": place - 0.39, "y1": place + 0.39}
        box = {"type": "rect", "x0": 0, "x1": 1, "fillcolor": fill, "line": {"color": line, "dash": dash, "width": 2}}
        shapes.append(box | height)
        size = str(block["shape"])
        number = f"{counted(block['layers'], 'layer')}, " if block["layers"] else ""
        inside = f"{number}{block['weights']:,} weights" if block["weights"] else ""
        texts = {
            "left": f"<b>{safe(block['name'])}</b>",
            "center": size,
            "right": " · ".join(filter(None, (inside, words))),
        }
        if narrow:
            texts = {"left": f"{texts['left']}  {size}<br>{texts['right']}"}
        for anchor, text in texts.items():
            x = {"left": 0.015, "center": 0.5, "right": 0.985}[anchor]
            font = {"size": FONT if narrow or anchor == "right" else LARGE, "color": INK}
            note = {"x": x, "y": place, "xanchor": anchor, "align": anchor, "text": text, "font": font}
            notes.append(note | {"showarrow": False})
    return chart(
        [{"type": "scatter", "x": [], "y": [], "hoverinfo": "skip"}],
        20 + row * len(blocks),
        xaxis=hidden_axis(0, 1),
        yaxis=hidden_axis(len(blocks) - 0.5, -0.5),
        shapes=shapes,
        annotations=notes,
        margin={"l": 4, "r": 4, "t": 8, "b": 8},
    )


def diagram_text(blocks: Sequence[Mapping[str, Any]]) -> str:
    """Return the same in words, for people who cannot see the diagram."""
    parts = []
    for block in blocks:
        words = STATES[block["state"]][0]
        parts.append(f"{block['name']} {block['shape']}{f' ({words})' if words else ''}")
    return f"Diagram of the network: {', '.join(parts)}"
