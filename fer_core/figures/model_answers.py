"""What several models say about one face: a bar for each model, divided between the seven expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from fer_core.figures.theme import FONT, INK, category_axis, chart, legend, percent_text, safe
from fer_core.labels import COLORS, EXPRESSIONS, NUM_CLASSES

ROW: Final = 56
"""Pixels that a model takes: its title and its bar."""

WIDE: Final = 0.3
"""Share from which on a part of a bar has room for its word, also on phones."""


def model_answers(titles: Sequence[str], answers: Sequence[str], probabilities: ArrayLike) -> go.Figure:
    """Return one bar for each model, divided between the seven expressions, below its title and answer.

    Args:
        titles: of the models, from top to bottom.
        answers: what each model says.
        probabilities: `(n, 7)`, one row for each model, in the order of `labels.EXPRESSIONS`.

    Raises:
        ValueError: another shape.
    """
    values = np.asarray(probabilities, np.float64)
    if values.shape != (len(titles), NUM_CLASSES) or len(answers) != len(titles):
        raise ValueError(f"Expected an answer and {NUM_CLASSES} probabilities for each title. Received: {values.shape}")
    rows = [str(place) for place in range(len(titles))]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "x": values[:, place],
            "y": rows,
            "width": 0.42,
            "marker": {"color": COLORS[name]},
            "text": [f"<b>{name} {percent_text(share)}</b>" if share >= WIDE else "" for share in values[:, place]],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "insidetextfont": {"size": FONT, "color": "#FFFFFF" if name == "sad" else "#111111"},
            "textangle": 0,
            "customdata": [safe(title) for title in titles],
            "hovertemplate": f"%{{customdata}}: {name} %{{x:.1%}}<extra></extra>",
        }
        for place, name in enumerate(EXPRESSIONS)
    ]
    heads = [
        {
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "y": row,
            "yanchor": "bottom",
            "yshift": 11,
            "text": f"{safe(title)}: <b>{safe(answer)}</b>",
            "showarrow": False,
            "font": {"size": FONT, "color": INK},
        }
        for row, title, answer in zip(rows, titles, answers, strict=True)
    ]
    return chart(
        traces,
        ROW * len(titles) + 90,
        barmode="stack",
        annotations=heads,
        xaxis={"visible": False, "range": [0, 1], "fixedrange": True},
        yaxis=category_axis(rows, showticklabels=False),
        showlegend=True,
        legend=legend(columns_fit=False) | {"traceorder": "normal"},
        dragmode=False,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
    )
