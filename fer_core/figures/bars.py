"""Bars of the seven expressions: probabilities, votes, scores, numbers of faces, shares of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from fer_core.columns import percent_text
from fer_core.figures.theme import (
    FONT,
    INK,
    LARGE,
    MUTED,
    TYPE,
    axis,
    category_axis,
    chart,
    expression_colors,
    hidden_axis,
    safe,
    with_legend,
    words,
)
from fer_core.labels import COLORS, EXPRESSIONS, NUM_CLASSES

ROW: Final = 44
"""Distance of the bars in pixels."""

COUNT_ROW: Final = 34
MODEL_ROW: Final = 56
"""Pixels that a model takes in `model_answers`: its title and its bar."""

OPACITIES: Final = (1.0, 0.4)
"""Of the first and the second part of `class_counts`."""

PATTERNS: Final = ("", "/", "x")
"""Of the bars of the first, second and third split."""

WIDE: Final = 0.3
"""Share from which on a part of a bar has room for its word, also on phones."""

TIGHT: Final = {"l": 0, "r": 0, "t": 0, "b": 0}


def probability_bars(probabilities: ArrayLike) -> go.Figure:
    """Return seven horizontal bars with percentages, the most probable expression in bold.

    Args:
        probabilities: `(7,)` in the order of `labels.EXPRESSIONS`.

    Raises:
        ValueError: another shape.
    """
    values = _seven(probabilities)
    return _bars([_bar(values, _percentages(values))])


def probability_change(before: ArrayLike, after: ArrayLike) -> go.Figure:
    """Return the bars of `after` in front of wider gray bars of `before`.

    Args:
        before: `(7,)` probabilities of the original picture.
        after: `(7,)` probabilities of the edited picture.

    Raises:
        ValueError: another shape.
    """
    old, new = _seven(before), _seven(after)
    return _in_front({"before": old, "after": new}, _percentages(new))


def vote_bars(votes: ArrayLike, total: int) -> go.Figure:
    """Return seven horizontal bars of votes with their numbers, the most frequent answer in bold.

    Args:
        votes: `(7,)` numbers in the order of `labels.EXPRESSIONS`.
        total: number of votes that make a full bar, at least the sum.

    Raises:
        ValueError: another shape.
    """
    counts = _seven(votes)
    return _bars([_bar(counts / max(1, total), _numbers(counts))])


def answers_and_votes(answers: ArrayLike, votes: ArrayLike, *, total: int) -> go.Figure:
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
    return _in_front({"annotators": _seven(votes) / max(1, total), "class": shares}, _numbers(counts))


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


def time_share_bars(shares: pd.DataFrame) -> go.Figure:
    """Return the share of time of each expression, for one face or for all faces together.

    Args:
        shares: seven rows with the columns `expression`, `seconds` and `share` (0 to 1).
    """
    ordered = shares.set_index("expression").reindex(EXPRESSIONS)
    values = ordered["share"].to_numpy(np.float64)
    about = {
        "customdata": ordered["seconds"],
        "hovertemplate": "%{y}: %{x:.1%} of the time, %{customdata:.1f} seconds<extra></extra>",
    }
    return _bars([_bar(values, _percentages(values), **about)])


def time_share_text(shares: pd.DataFrame) -> str:
    """Return the shares of `time_share_bars` as text, the largest first, for the chart's alternative text."""
    seen = shares[shares["share"] > 0].sort_values("share", ascending=False, kind="stable")
    return ", ".join(
        f"{name} {percent_text(share)}" for name, share in zip(seen["expression"], seen["share"], strict=True)
    )


def logit_bars(logits: ArrayLike) -> go.Figure:
    """Return seven horizontal bars of scores, to the left where they are negative, with the highest in bold.

    Args:
        logits: `(7,)` in the order of `labels.EXPRESSIONS`.

    Raises:
        ValueError: another shape.
    """
    values = _seven(logits)
    room = 0.35 * max(1.0, float(np.abs(values).max()))  # for the numbers
    texts = _highest_bold(values, [f"{value:+.2f}".replace("-", "−") for value in values])
    across = {
        "showticklabels": False,
        "showgrid": False,
        "zeroline": True,
        "zerolinecolor": INK,
        "range": [min(0.0, float(values.min())) - room, max(0.0, float(values.max())) + room],
        "fixedrange": True,
    }
    return _bars([_bar(values, texts, hovertemplate="%{y}: %{x:.3f}<extra></extra>")], xaxis=across, barmode="group")


def softmax_table(logits: ArrayLike, exponentials: ArrayLike, *, probabilities: ArrayLike) -> go.Figure:
    """Return the softmax in columns: score, its exponential, and a bar of the share of all seven exponentials.

    Args:
        logits: `(7,)` in the order of `labels.EXPRESSIONS`.
        exponentials: `(7,)`.
        probabilities: `(7,)`.

    Raises:
        ValueError: another shape.
    """
    scores, powers, shares = _seven(logits), _seven(exponentials), _seven(probabilities)
    columns = {
        -0.8: ("score", [f"{value:.2f}".replace("-", "−") for value in scores]),
        -0.1: ("exp(score)", [f"{value:,.2f}" if value < 1000 else f"{value:,.0f}" for value in powers]),
    }
    traces = [_bar(shares, _percentages(shares), hovertemplate="%{y}: %{x:.2%}<extra></extra>")]
    heads = [{"x": 0.0, "text": "share of the sum", "xanchor": "left"}]
    for place, (title, texts) in columns.items():
        heads.append({"x": place, "text": title, "xanchor": "right"})
        bold = _highest_bold(scores, texts)
        traces.append(words([place] * NUM_CLASSES, EXPRESSIONS, bold, LARGE, textposition="middle left"))
    common = {"y": 1.0, "yref": "paper", "yanchor": "bottom", "showarrow": False, "font": TYPE}
    return _bars(
        traces,
        height=ROW * NUM_CLASSES + 30,
        annotations=[common | head for head in heads],
        xaxis=hidden_axis(-1.25, 1.35),
        margin=TIGHT | {"t": 30},
        barmode="group",
    )


def class_counts(counts: pd.DataFrame) -> go.Figure:
    """Return the number of faces of each expression, as stacked bars if there are two parts.

    Args:
        counts: indexed by expression, with one or two columns of integers named after the parts ("training").
    """
    counts = counts.reindex(EXPRESSIONS, fill_value=0)
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
    texts = ["  " + " + ".join(f"{value:,}" for value in row) for row in counts.to_numpy().tolist()]
    return chart(
        [*traces, words(totals, EXPRESSIONS, texts, FONT)],
        COUNT_ROW * NUM_CLASSES + 36,
        barmode="stack",
        xaxis=hidden_axis(0, 1.35 * max(1.0, float(totals.max()))),
        yaxis=category_axis(EXPRESSIONS),
        dragmode=False,
    )


def class_distribution(counts: pd.DataFrame, *, shares: bool = False) -> go.Figure:
    """Return bars of the number of faces by expression, one group for each expression and one bar for each split.

    Args:
        counts: indexed by split, with a column for each of `labels.EXPRESSIONS`, as `FaceDataset.counts` returns it.
        shares: whether to show shares of each split instead of numbers.
    """
    bars, entries = [], []
    for place, (split, row) in enumerate(counts[list(EXPRESSIONS)].iterrows()):
        share = row / max(1, row.sum())
        pattern = {"shape": PATTERNS[place % len(PATTERNS)], "solidity": 0.25}  # lines in the colour of the bar
        common = {"type": "bar", "name": safe(split), "legendgroup": place, "offsetgroup": place}
        # Plotly draws no legend entry for bars of several colours with a pattern, so an empty gray bar stands in
        entries.append(common | {"x": [None], "y": [None], "marker": {"color": MUTED, "pattern": pattern}})
        hover = f"%{{x}}, {safe(split)}: %{{customdata[0]:,}} faces, %{{customdata[1]:.1%}}<extra></extra>"
        bars.append(
            common
            | {
                "x": list(EXPRESSIONS),
                "y": share if shares else row,
                "customdata": np.column_stack([row, share]),
                "marker": {"color": expression_colors(), "pattern": pattern},
                "showlegend": False,
                "hovertemplate": hover,
            }
        )
    up = axis("Share of the split" if shares else "Faces", tickformat=".0%" if shares else ",d", fixedrange=True)
    return chart(
        [*bars, *entries],
        400,
        barmode="group",
        xaxis={"type": "category", "tickfont": TYPE, "fixedrange": True},
        yaxis=up,
        dragmode=False,
        **with_legend() | {"showlegend": len(counts) > 1},
    )


def model_answers(titles: Sequence[str], answers: Sequence[str], *, probabilities: ArrayLike) -> go.Figure:
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
        named_part(
            name,
            rows,
            [f"<b>{name} {percent_text(share)}</b>" if share >= WIDE else "" for share in values[:, place]],
            "#FFFFFF" if name == "sad" else "#111111",
        )
        | {
            "x": values[:, place],
            "width": 0.42,
            "customdata": [safe(title) for title in titles],
            "hovertemplate": f"%{{customdata}}: {name} %{{x:.1%}}<extra></extra>",
        }
        for place, name in enumerate(EXPRESSIONS)
    ]
    head = {"x": 0, "xref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": 11, "showarrow": False}
    heads = [
        head | {"y": row, "text": f"{safe(title)}: <b>{safe(answer)}</b>", "font": TYPE}
        for row, title, answer in zip(rows, titles, answers, strict=True)
    ]
    layout = with_legend()
    layout["legend"]["traceorder"] = "normal"
    return chart(
        traces,
        MODEL_ROW * len(titles) + 90,
        barmode="stack",
        annotations=heads,
        xaxis=hidden_axis(0, 1),
        yaxis=category_axis(rows, showticklabels=False),
        dragmode=False,
        margin=TIGHT | {"t": 8},
        **layout,
    )


def named_part(name: str, rows: Sequence[str], texts: Sequence[str], ink: str) -> dict[str, Any]:
    """Return parts of horizontal bars in the colour of an expression, with texts inside them; they lack `x`."""
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": rows,
        "marker": {"color": COLORS[name]},
        "text": texts,
        "textposition": "inside",
        "insidetextanchor": "middle",
        "insidetextfont": {"size": FONT, "color": ink},
        "textangle": 0,
    }


def _seven(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (NUM_CLASSES,):
        raise ValueError(f"Expected values of shape (7,). Received: {numbers.shape}")
    return numbers


def _highest_bold(values: NDArray[np.float64], texts: Iterable[str]) -> list[str]:
    """Return the texts, that of the highest value in bold."""
    return [f"<b>{text}</b>" if value == values.max() else text for value, text in zip(values, texts, strict=True)]


def _percentages(values: NDArray[np.float64]) -> list[str]:
    return _highest_bold(values, map(percent_text, values))


def _numbers(counts: NDArray[np.float64]) -> list[str]:
    """Return the numbers, the largest in bold and nothing for 0."""
    texts = _highest_bold(counts, map("{:,.0f}".format, counts))
    return [text if count else "" for count, text in zip(counts, texts, strict=True)]


def _in_front(bars: dict[str, NDArray[np.float64]], texts: Sequence[str]) -> go.Figure:
    """Return the second bars in front of the first, which are wider and gray, with the texts beyond the longer bar."""
    empty = [""] * NUM_CLASSES
    (behind, old), (front, new) = bars.items()
    hover = "%{{y}}, {}: %{{x:.1%}}<extra></extra>"
    return _bars(
        [
            _bar(old, empty, width=0.86, name=behind, hovertemplate=hover.format(behind))
            | {"marker": {"color": MUTED, "opacity": 0.4}},
            _bar(new, empty, width=0.5, name=front, hovertemplate=hover.format(front)),
            words(np.maximum(old, new), EXPRESSIONS, [f"  {text}" for text in texts], LARGE),
        ]
    )


def _bar(values: NDArray[np.float64], texts: Sequence[str], **changes: Any) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": EXPRESSIONS,
        "width": 0.72,
        "text": texts,
        "textposition": "outside",
        "textfont": {"size": LARGE},
        "cliponaxis": False,
        "marker": {"color": expression_colors(), "cornerradius": 4},
        "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
    } | changes


def _bars(traces: Sequence[dict[str, Any]], height: float = ROW * NUM_CLASSES, **changes: Any) -> go.Figure:
    layout: dict[str, Any] = {
        "barmode": "overlay",
        "xaxis": hidden_axis(0, 1.22),  # room for the percentage of a full bar
        "yaxis": category_axis(EXPRESSIONS, LARGE),
        "dragmode": False,
        "margin": TIGHT,
    }
    return chart(traces, height, **layout | changes)
