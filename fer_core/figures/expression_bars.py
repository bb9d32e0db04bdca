"""Bars of the seven expressions: probabilities, votes, numbers of faces, shares of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from fer_core.figures.theme import FONT, LARGE, MUTED, chart, expression_axis, expression_colors, percent_text, safe
from fer_core.labels import EXPRESSIONS, NUM_CLASSES

ROW: Final = 44
"""Distance of the bars in pixels."""

COUNT_ROW: Final = 34
OPACITIES: Final = (1.0, 0.4)
"""Of the first and the second part of `class_counts`."""


def probability_bars(probabilities: ArrayLike) -> go.Figure:
    """Return seven horizontal bars with percentages, the most probable expression in bold.

    Args:
        probabilities: `(7,)` in the order of `labels.EXPRESSIONS`.

    Raises:
        ValueError: another shape.
    """
    values = _seven(probabilities)
    return _bars([_bar(values, _words(values), width=0.72)])


def probability_change(before: ArrayLike, after: ArrayLike) -> go.Figure:
    """Return the bars of `after` in front of wider gray bars of `before`.

    Args:
        before: `(7,)` probabilities of the original picture.
        after: `(7,)` probabilities of the edited picture.

    Raises:
        ValueError: another shape.
    """
    old, new = _seven(before), _seven(after)
    return _in_front(old, new, ("before", "after"), _words(new))


def vote_bars(votes: ArrayLike, total: int) -> go.Figure:
    """Return seven horizontal bars of votes with their numbers, the most frequent answer in bold.

    Args:
        votes: `(7,)` numbers in the order of `labels.EXPRESSIONS`.
        total: number of votes that make a full bar, at least the sum.

    Raises:
        ValueError: another shape.
    """
    counts = _seven(votes)
    shares = counts / max(1, total)
    return _bars([_bar(shares, _numbers(counts), width=0.72)])


def answers_and_votes(answers: ArrayLike, votes: ArrayLike, total: int) -> go.Figure:
    """Return bars of the answers of a class in front of wider gray bars of the annotators' votes, as shares of each.

    Args:
        answers: `(7,)` numbers of people in the order of `labels.EXPRESSIONS`, written beside the bars.
        votes: `(7,)` numbers of votes.
        total: number of votes with those for other answers; 0 if there are none.

    Raises:
        ValueError: another shape.
    """
    counts = _seven(answers)
    shares = counts / max(1.0, counts.sum())
    return _in_front(_seven(votes) / max(1, total), shares, ("annotators", "class"), _numbers(counts))


def probability_text(probabilities: ArrayLike, top: int = 3) -> str:
    """Return the most probable expressions as text, for the chart's alternative text.

    Args:
        probabilities: `(7,)` in the order of `labels.EXPRESSIONS`.
        top: number of expressions.

    Example:
        >>> probability_text([0.1, 0, 0, 0.9, 0, 0, 0], top=2)
        'happy 90 %, angry 10 %'
    """
    values = _seven(probabilities)
    best = np.argsort(-values, kind="stable")[:top]
    return ", ".join(f"{EXPRESSIONS[k]} {percent_text(values[k])}" for k in best)


def class_counts(counts: pd.DataFrame) -> go.Figure:
    """Return the number of faces of each expression, as stacked bars if there are two parts.

    Args:
        counts: indexed by expression, with one or two columns of integers named after the parts ("training").
    """
    counts = counts.reindex(EXPRESSIONS, fill_value=0)
    words = [" + ".join(f"{value:,}" for value in row) for row in counts.to_numpy().tolist()]
    totals = counts.sum(axis=1)
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": safe(part),
            "x": counts[part],
            "y": EXPRESSIONS,
            "width": 0.66,
            "marker": {"color": expression_colors(), "opacity": opacity},
            "hovertemplate": f"%{{y}}, {safe(part)}: %{{x:,}} faces<extra></extra>",
        }
        for part, opacity in zip(counts, OPACITIES, strict=False)
    ]
    traces.append(
        {
            "type": "scatter",
            "mode": "text",
            "x": totals,
            "y": EXPRESSIONS,
            "text": [f"  {word}" for word in words],
            "textposition": "middle right",
            "textfont": {"size": FONT},
            "hoverinfo": "skip",
            "cliponaxis": False,
        }
    )
    across = {"visible": False, "range": [0, 1.35 * max(1.0, float(totals.max()))], "fixedrange": True}
    return chart(
        traces, COUNT_ROW * NUM_CLASSES + 36, barmode="stack", xaxis=across, yaxis=expression_axis(), dragmode=False
    )


def time_share_bars(shares: pd.DataFrame) -> go.Figure:
    """Return the share of time of each expression, for one face or for all faces together.

    Args:
        shares: seven rows with the columns `expression`, `seconds` and `share` (0 to 1).
    """
    ordered = shares.set_index("expression").reindex(EXPRESSIONS)
    values = ordered["share"].to_numpy(np.float64)
    bar = _bar(values, _words(values), width=0.72) | {
        "customdata": ordered["seconds"],
        "hovertemplate": "%{y}: %{x:.1%} of the time, %{customdata:.1f} seconds<extra></extra>",
    }
    return _bars([bar])


def time_share_text(shares: pd.DataFrame) -> str:
    """Return the shares of `time_share_bars` as text, the largest first, for the chart's alternative text."""
    shown = shares[shares["share"] > 0].sort_values("share", ascending=False, kind="stable")
    return ", ".join(
        f"{name} {percent_text(float(share))}" for name, share in zip(shown["expression"], shown["share"], strict=True)
    )


def _seven(probabilities: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(probabilities, dtype=np.float64)
    if values.shape != (NUM_CLASSES,):
        raise ValueError(f"Expected probabilities of shape (7,). Received: {values.shape}")
    return values


def _words(values: NDArray[np.float64]) -> list[str]:
    """Return the percentages, the largest in bold."""
    most = values.max()
    return [f"<b>{percent_text(value)}</b>" if value == most else percent_text(value) for value in values]


def _numbers(counts: NDArray[np.float64]) -> list[str]:
    """Return the numbers, the largest in bold and nothing for 0."""
    most = counts.max()
    return ["" if not n else f"<b>{n:,.0f}</b>" if n == most else f"{n:,.0f}" for n in counts]


def _in_front(
    old: NDArray[np.float64], new: NDArray[np.float64], names: tuple[str, str], texts: Sequence[str]
) -> go.Figure:
    """Return bars of `new` in front of wider gray bars of `old`, with the texts beyond the longer bar."""
    behind = _bar(old, [""] * NUM_CLASSES, width=0.86, name=names[0]) | {"marker": {"color": MUTED, "opacity": 0.4}}
    front = _bar(new, [""] * NUM_CLASSES, width=0.5, name=names[1])
    words = {
        "type": "scatter",
        "mode": "text",
        "x": np.maximum(old, new),
        "y": EXPRESSIONS,
        "text": [f"  {word}" for word in texts],
        "textposition": "middle right",
        "textfont": {"size": LARGE},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }
    return _bars([behind, front, words])


def _bar(values: NDArray[np.float64], words: Sequence[str], width: float, name: str = "") -> dict[str, Any]:
    said = f"{name}: " if name else ""
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": values,
        "y": EXPRESSIONS,
        "width": width,
        "text": words,
        "textposition": "outside",
        "textfont": {"size": LARGE},
        "cliponaxis": False,
        "marker": {"color": expression_colors(), "cornerradius": 4},
        "hovertemplate": f"%{{y}}, {said}%{{x:.1%}}<extra></extra>" if said else "%{y}: %{x:.1%}<extra></extra>",
    }


def _bars(traces: Sequence[dict[str, Any]]) -> go.Figure:
    across = {"visible": False, "range": [0, 1.22], "fixedrange": True}  # room for the percentage of a full bar
    return chart(
        traces,
        ROW * NUM_CLASSES,
        barmode="overlay",
        xaxis=across,
        yaxis=expression_axis(LARGE),
        dragmode=False,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
    )
