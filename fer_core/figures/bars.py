"""Charts of the classes, by default the seven expressions: probabilities, votes, scores and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from fer_core.columns import percent_text
from fer_core.figures.theme import (
    ACCENT,
    FONT,
    INK,
    LARGE,
    MUTED,
    TYPE,
    axis,
    category_axis,
    chart,
    hidden_axis,
    percents,
    safe,
    with_legend,
    words,
)
from fer_core.labels import EXPRESSIONS, NUM_CLASSES, class_colors, is_dark

ROW: Final = 44  # distance of the bars in pixels
WIDE: Final = 0.3  # share from which on a part of a bar has room for its word, also on phones
TIGHT: Final = {"l": 0, "r": 0, "t": 0, "b": 0}

Classes = tuple[str, ...]


def probability_bars(probabilities: ArrayLike, *, classes: Classes = EXPRESSIONS) -> go.Figure:
    """Return horizontal bars with percentages, the most probable class in bold.

    Args:
        probabilities: `(classes,)` in the order of `classes`, as in all functions here.
        classes: of the model.

    Raises:
        ValueError: another shape.
    """
    values = _checked(probabilities, classes)
    return _bars([_bar(values, _percentages(values), classes)], classes)


def probability_change(before: ArrayLike, after: ArrayLike, *, classes: Classes = EXPRESSIONS) -> go.Figure:
    """Return the bars of an edited picture's probabilities in front of wider gray bars of the original's."""
    old, new = _checked(before, classes), _checked(after, classes)
    return _in_front({"before": old, "after": new}, _percentages(new), classes)


def vote_bars(votes: ArrayLike, total: int) -> go.Figure:
    """Return bars of `(7,)` votes with their numbers, the most frequent in bold; `total` votes make a full bar."""
    counts = _checked(votes)
    return _bars([_bar(counts / max(1, total), _numbers(counts))])


def score_bars(scores: Mapping[str, int], total: int) -> go.Figure:
    """Return bars of who reached how many of `total`, with their numbers."""
    values, texts = np.array([*scores.values()], np.float64), [f"<b>{score}</b>" for score in scores.values()]
    return _bars([_bar(values / total, texts, tuple(scores), marker={"color": ACCENT})], tuple(scores))


def answers_and_votes(answers: ArrayLike, votes: ArrayLike, *, total: int) -> go.Figure:
    """Return bars of the answers of a class in front of wider gray bars of the annotators' votes, as shares of each.

    Args:
        answers: `(7,)` numbers of people, written beside the bars.
        votes: `(7,)` numbers of votes.
        total: number of votes with those for other answers; 0 if there are none.
    """
    counts = _checked(answers)
    shares = counts / max(1.0, counts.sum())
    return _in_front({"annotators": _checked(votes) / max(1, total), "class": shares}, _numbers(counts))


def probability_text(probabilities: ArrayLike, top: int = 3, *, classes: Classes = EXPRESSIONS) -> str:
    """Return the most probable classes as text, for the chart's alternative text.

    Example:
        >>> probability_text([0.1, 0, 0, 0.9, 0, 0, 0], top=2)
        'happy 90 %, angry 10 %'
    """
    values = _checked(probabilities, classes)
    best = np.argsort(-values, kind="stable")[:top]
    return ", ".join(f"{classes[k]} {percent_text(values[k])}" for k in best)


def time_share_bars(shares: pd.DataFrame) -> go.Figure:
    """Return the share of time of each class: rows in their order with `expression`, `seconds` and `share` (0 to 1)."""
    values, classes = shares["share"].to_numpy(np.float64), tuple(shares["expression"])
    hover = "%{y}: %{hovertext} of the time, %{customdata:.1f} seconds<extra></extra>"
    bar = _bar(values, _percentages(values), classes, customdata=shares["seconds"], hovertemplate=hover)
    return _bars([bar], classes)


def time_share_text(shares: pd.DataFrame) -> str:
    """Return the shares of `time_share_bars` as text, the largest first, for the chart's alternative text."""
    seen = shares[shares["share"] > 0].sort_values("share", ascending=False, kind="stable")
    return ", ".join(
        f"{name} {percent_text(share)}" for name, share in zip(seen["expression"], seen["share"], strict=True)
    )


def logit_bars(logits: ArrayLike) -> go.Figure:
    """Return seven horizontal bars of scores, to the left where they are negative, with the highest in bold."""
    values = _checked(logits)
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
    """Return the softmax in columns: score, its exponential, and a bar of the share of all seven exponentials."""
    scores, powers, shares = _checked(logits), _checked(exponentials), _checked(probabilities)
    columns = {
        -0.8: ("score", [f"{value:.2f}".replace("-", "−") for value in scores]),
        -0.1: ("exp(score)", [f"{value:,.2f}" if value < 1000 else f"{value:,.0f}" for value in powers]),
    }
    traces = [_bar(shares, _percentages(shares), hovertext=percents(shares, ".2%"))]
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
    """Return the number of faces of each class, as stacked bars if there are two parts.

    Args:
        counts: indexed by class, with one or two columns of integers named after the parts ("training").
    """
    classes = tuple(counts.index)
    totals = counts.sum(axis=1)
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": safe(part),
            "x": counts[part],
            "y": classes,
            "width": 0.66,
            "marker": {"color": [*class_colors(classes).values()], "opacity": opacity},
            "hovertemplate": f"%{{y}}, {safe(part)}: %{{x:,}} faces<extra></extra>",
        }
        for part, opacity in zip(counts, (1.0, 0.4), strict=False)
    ]
    texts = ["  " + " + ".join(f"{value:,}" for value in row) for row in counts.to_numpy().tolist()]
    return chart(
        [*traces, words(totals, classes, texts, FONT)],
        34 * len(classes) + 36,
        barmode="stack",
        xaxis=hidden_axis(0, 1.35 * max(1.0, float(totals.max()))),
        yaxis=category_axis(classes),
        dragmode=False,
    )


def class_distribution(counts: pd.DataFrame) -> go.Figure:
    """Return bars of the number of faces by expression, one group for each expression and one bar for each split.

    Args:
        counts: indexed by split, with a column for each of `labels.EXPRESSIONS`, as `FaceDataset.counts` returns it.
    """
    bars, entries = [], []
    for place, (split, row) in enumerate(counts[list(EXPRESSIONS)].iterrows()):
        share = row / max(1, row.sum())
        pattern = {"shape": ("", "/", "x")[place % 3], "solidity": 0.25}  # lines in the colour of the bar
        common = {"type": "bar", "name": safe(split), "legendgroup": place, "offsetgroup": place}
        # Plotly draws no legend entry for bars of several colours with a pattern, so an empty gray bar stands in
        entries.append(common | {"x": [None], "y": [None], "marker": {"color": MUTED, "pattern": pattern}})
        hover = f"%{{x}}, {safe(split)}: %{{customdata[0]:,}} faces, %{{customdata[1]}}<extra></extra>"
        bar = {
            "x": list(EXPRESSIONS),
            "y": row,
            "customdata": list(zip(row, percents(share), strict=True)),
            "marker": {"color": [*class_colors(EXPRESSIONS).values()], "pattern": pattern},
            "showlegend": False,
            "hovertemplate": hover,
        }
        bars.append(common | bar)
    return chart(
        [*bars, *entries],
        400,
        barmode="group",
        xaxis={"type": "category", "tickfont": TYPE, "fixedrange": True},
        yaxis=axis("Faces", tickformat=",d", fixedrange=True),
        dragmode=False,
        **with_legend() | {"showlegend": len(counts) > 1},
    )


def model_answers(
    titles: Sequence[str], answers: Sequence[str], *, probabilities: ArrayLike, classes: Classes = EXPRESSIONS
) -> go.Figure:
    """Return one bar for each model, divided between its classes, below its title and answer.

    The probabilities are `(n, classes)`, one row for each title, from top to bottom.
    """
    values, expected = np.asarray(probabilities, np.float64), (len(titles), len(classes))
    if values.shape != expected or len(answers) != len(titles):
        raise ValueError(
            f"Expected an answer and {len(classes)} probabilities for each title. Received: {values.shape}"
        )
    rows = [str(place) for place in range(len(titles))]
    traces = [
        bar_part(
            name,
            rows,
            [f"<b>{name} {percent_text(share)}</b>" if share >= WIDE else "" for share in values[:, place]],
            color=color,
            x=values[:, place],
            width=0.42,
            customdata=[safe(title) for title in titles],
            hovertext=percents(values[:, place]),
            hovertemplate=f"%{{customdata}}: {name} %{{hovertext}}<extra></extra>",
        )
        for place, (name, color) in enumerate(class_colors(classes).items())
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
        56 * len(titles) + 90,  # 56 for the title and the bar of a model
        barmode="stack",
        annotations=heads,
        xaxis=hidden_axis(0, 1),
        yaxis=category_axis(rows, showticklabels=False),
        dragmode=False,
        margin=TIGHT | {"t": 8},
        **layout,
    )


def bar_part(name: str, rows: Sequence[str], texts: Sequence[str], *, color: str, **changes: Any) -> dict[str, Any]:
    """Return parts of horizontal bars in the colour of a class, with texts inside them; they lack `x`."""
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": rows,
        "marker": {"color": color},
        "text": texts,
        "textposition": "inside",
        "insidetextanchor": "middle",
        "insidetextfont": {"size": FONT, "color": "#FFFFFF" if is_dark(color) else "#111111"},
        "textangle": 0,
    } | changes


def _checked(values: ArrayLike, classes: Classes = EXPRESSIONS) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (len(classes),):
        raise ValueError(f"Expected values of shape ({len(classes)},). Received: {numbers.shape}")
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


def _in_front(bars: dict[str, NDArray[np.float64]], texts: Sequence[str], classes: Classes = EXPRESSIONS) -> go.Figure:
    """Return the second bars in front of the first, which are wider and gray, with the texts beyond the longer bar."""
    (behind, old), (front, new) = bars.items()
    none, gray = [""] * len(classes), {"color": MUTED, "opacity": 0.4}
    hover = "%{{y}}, {}: %{{hovertext}}<extra></extra>"
    return _bars(
        [
            _bar(old, none, classes, width=0.86, name=behind, hovertemplate=hover.format(behind), marker=gray),
            _bar(new, none, classes, width=0.5, name=front, hovertemplate=hover.format(front)),
            words(np.maximum(old, new), classes, [f"  {text}" for text in texts], LARGE),
        ],
        classes,
    )


def _bar(
    values: NDArray[np.float64], texts: Sequence[str], classes: Classes = EXPRESSIONS, **changes: Any
) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": classes,
        "width": 0.72,
        "text": texts,
        "textposition": "outside",
        "textfont": {"size": LARGE},
        "cliponaxis": False,
        "marker": {"color": [*class_colors(classes).values()], "cornerradius": 4},
        "hovertext": percents(values),
        "hovertemplate": "%{y}: %{hovertext}<extra></extra>",
    } | changes


def _bars(traces: Sequence[dict[str, Any]], classes: Classes = EXPRESSIONS, **changes: Any) -> go.Figure:
    layout: dict[str, Any] = {
        "barmode": "overlay",
        "xaxis": hidden_axis(0, 1.22),  # room for the percentage of a full bar
        "yaxis": category_axis(classes, LARGE),
        "dragmode": False,
        "margin": TIGHT,
        "height": ROW * len(classes),
    }
    return chart(traces, **layout | changes)
