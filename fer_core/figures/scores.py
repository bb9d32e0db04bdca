"""Scores of models and of groups of faces with their 95 % intervals, as dots with whiskers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import ceil
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from fer_core.columns import percent
from fer_core.figures.theme import (
    ACCENT,
    FONT,
    INK,
    MUTED,
    axis,
    bands,
    category_axis,
    chart,
    dots,
    in_lines,
    legend_height,
    listed,
    model_styles,
    percents,
    reference,
    safe,
    with_legend,
    words,
)

ROW: Final = 44  # height in pixels of a row
DOT: Final = 14  # height in pixels of a dot in a row that several groups share
SPLITS: Final = (("#7A6FD0", "circle"), ("#2A9D8F", "diamond"))  # colour and symbol of the first and second split


def accuracy_intervals(measured: pd.DataFrame, references: Mapping[str, float] | None = None) -> go.Figure:
    """Return a dot and a whisker for each accuracy, with dashed lines at reference values.

    Args:
        measured: one row for each model and split, which keep their order: `model`, `split`, `accuracy` (0 to 1), `low`
            and `high`.
        references: label to accuracy, a dashed line each.

    Raises:
        ValueError: nothing is measured.
    """
    if measured.empty:
        raise ValueError("Expected at least one measured accuracy. Received: none")
    models, splits = list(dict.fromkeys(measured["model"])), list(dict.fromkeys(measured["split"]))
    lines = references or {}
    traces = []
    for place, split in enumerate(splits):
        part = measured[measured["split"] == split]
        rows = [models.index(model) + (place - (len(splits) - 1) / 2) * 0.42 for model in part["model"]]
        (color, symbol), group = SPLITS[place % 2], {"legendgroup": safe(split)}
        marks = dots(part, "accuracy", rows, color) | _hover(part, "accuracy", title="accuracy") | group
        marks["marker"]["symbol"] = symbol
        traces += [marks | {"name": safe(split)}, _numbers(part, "accuracy", rows) | group]
    low, high = _room([*measured["low"], *measured["high"], *lines.values()])
    rules = [
        reference(value, safe(name), xanchor="left" if value <= (low + high) / 2 else "right")  # where is more room
        for name, value in lines.items()
    ]
    return chart(
        traces,
        120 + 74 * len(models),
        xaxis=axis("Accuracy", range=[low, high]),
        yaxis=axis(
            None,
            range=[len(models) - 0.4, -0.6],
            tickvals=list(range(len(models))),
            ticktext=[in_lines(model) for model in models],
            showgrid=False,
            fixedrange=True,
        ),
        shapes=[line for line, _ in rules],
        annotations=[note for _, note in rules],
        **with_legend(),
    )


def ranking(table: pd.DataFrame, metric: str, *, title: str, ascending: bool = False) -> go.Figure:
    """Return a dot and a 95 % whisker for each model, the best on top.

    Args:
        table: columns `model`, the metric, and the metric with `_low` and `_high`.
        metric: name of the column, of which `title` is the title.
        ascending: whether lower is better.
    """
    ordered = table.sort_values(metric, ascending=ascending, kind="stable")
    ordered = ordered.assign(low=ordered[f"{metric}_low"], high=ordered[f"{metric}_high"])
    models = list(ordered["model"])
    marks = dots(ordered, metric, models, ACCENT) | _hover(ordered, metric, title=title)
    return chart(
        [marks, _numbers(ordered, metric, models)],
        100 + ROW * len(models),
        xaxis=axis(f"{title} with 95 % interval", range=_room([*ordered["low"], *ordered["high"]])),
        yaxis=category_axis(models, ticktext=[in_lines(model) for model in models]),
        uirevision=metric,  # another metric has another range
    )


def class_scores(
    table: pd.DataFrame,
    *,
    models: Sequence[str] | None = None,
    front: Collection[str] | None = None,
    narrow: bool = False,
) -> go.Figure:
    """Return F1 by expression as a dot with a 95 % whisker for each model.

    Args:
        table: columns `model`, `expression`, `f1`, `low`, `high` (NaN for none); models keep their order.
        models, front, narrow: the `look` of `fer_core.figures.curves`.
    """
    drawn, classes = (list(dict.fromkeys(table[column])) for column in ("model", "expression"))
    styles, traces = model_styles(drawn, models), []
    for model in drawn:
        color, _, symbol = styles[model]
        part = table[table["model"] == model].set_index("expression").reindex(classes).assign(model=model)
        marks = dots(part, "f1", classes, color, thickness=2.5) | _hover(part, "f1", title="F1")
        marks["marker"] |= {"symbol": symbol, "size": 9}
        traces.append(marks | {"name": safe(model), "orientation": "h", **listed(model, front)})
    at_first = len([trace for trace in traces if trace["visible"] is True])
    return chart(
        traces,
        100 + len(classes) * max(45, 9 * at_first) + legend_height(len(drawn), narrow),
        xaxis=axis("F1 with 95 % interval", range=[0, 1]),
        yaxis=category_axis(classes, FONT + 1),
        scattermode="group",
        scattergap=0.15,
        shapes=bands(len(classes)),
        **with_legend(columns_fit=True),
    )


def paper_chart(marks: pd.DataFrame, metric: str, *, narrow: bool = False) -> go.Figure:
    """Return the reported and the measured values of one metric for each variant.

    Args:
        marks: columns `title` (of the variant), `source` ("reported", or "measured here", with the weights if they are
            not the paper's), `where`, `value`, `low`, `high` (NaN where reported).
        metric: its name for people.
        narrow: for a phone.
    """
    variants = list(dict.fromkeys(marks["title"]))
    looks = {
        "reported": (MUTED, "circle-open"),
        "measured here": (ACCENT, "diamond"),
        "measured here, UTKFace weights": (SPLITS[1][0], "square"),
        "measured here, face weights": (INK, "triangle-up"),
    }
    traces = []
    for source in sorted(set(marks["source"]), reverse=True):
        color, symbol = looks[source]
        part = marks[marks["source"] == source]
        points = dots(part, "value", part["title"], color) | {
            "name": source,
            "customdata": part["where"].map(safe),
            "hovertext": percents(part["value"]),
            "hovertemplate": f"%{{y}}: {safe(metric)} %{{hovertext}}<br>%{{customdata}}<extra></extra>",
        }
        points["marker"] |= {"symbol": symbol, "line": {"width": 3, "color": color}}
        traces.append(points)
    return chart(
        traces,
        120 + (52 if narrow else 40) * len(variants),
        xaxis=axis(metric, nticks=4 if narrow else 6, tickangle=0),
        yaxis=category_axis(variants, ticktext=[in_lines(variant, 16 if narrow else 22) for variant in variants]),
        uirevision=metric,
        **with_legend(),
    )


def gains(table: pd.DataFrame) -> go.Figure:
    """Return the gain of each change as a dot with a 95 % whisker, its verdict in words, and a line at zero.

    Args:
        table: columns `model` (what changes), `difference` with `_low` and `_high` (shares), and `verdict`.
    """
    points = table.rename(columns={"difference_low": "low", "difference_high": "high"})
    points[["difference", "low", "high"]] *= 100
    rows, least, most = list(points["model"]), min(0.0, points["low"].min()), max(0.0, points["high"].max())
    texts = [f"  <b>{row.difference:+.1f}</b> {row.verdict}".replace("-", "−") for row in points.itertuples()]
    zero, note = reference(0.0, "no difference")
    return chart(
        [
            dots(points, "difference", rows, ACCENT) | _hover(points, "difference", title="Points", number="+.1f"),
            words(list(points["high"]), rows, texts, FONT, showlegend=False),
        ],
        110 + ROW * len(rows),
        xaxis=axis(
            "Points of accuracy, 95 % interval", tickformat="~g", range=[least - 1, most + 0.6 * (most - least) + 1]
        ),
        yaxis=category_axis(rows, ticktext=[in_lines(row, 26) for row in rows]),
        shapes=[zero],
        annotations=[note],
    )


def group_rates(rates: pd.DataFrame, title: str, *, narrow: bool = False) -> go.Figure:
    """Return a rate of each group for one or several expressions.

    With one expression the groups are the rows. With several, the expressions are the rows, and the groups are told
    apart by colour and shape. Groups with too few faces are hollow.

    Args:
        rates: columns `group`, `expression`, `faces`, `value`, `low`, `high`, `compared`; groups and expressions keep
            their order.
        title: of the rate.
    """
    defined = rates[rates["value"].notna()]
    if defined.empty:
        raise ValueError("Expected at least one rate. Received: none")
    groups, expressions = list(dict.fromkeys(defined["group"])), list(dict.fromkeys(defined["expression"]))
    single = len(expressions) == 1
    rows = groups if single else expressions
    traces = []
    for group, (color, _, symbol) in model_styles(groups).items():
        part = defined[defined["group"] == group]
        marks = _rates(part, part["group" if single else "expression"], color) | {"name": safe(group)}
        marks["marker"] |= {
            "size": 13 if single else 11,
            "symbol": [symbol + ("" if compared else "-open") for compared in part["compared"]],
            "line": {"width": 2, "color": color},
        }
        traces.append(marks)
    legend_lines = 0 if single else len(groups) if narrow else ceil(len(groups) / 3)
    return chart(
        traces,
        len(rows) * (ROW if single else max(ROW, DOT * len(groups) + 8)) + 100 + 26 * legend_lines,
        xaxis=axis(f"{title}, with 95 % interval", range=[0, _end(defined["high"])]),
        yaxis=category_axis(rows, ticktext=[in_lines(row) for row in rows]),
        scattermode="overlay" if single else "group",
        scattergap=0.2,
        shapes=bands(len(rows)),
        **({} if single else with_legend(columns_fit=True)),
    )


def error_leaves(leaves: pd.DataFrame, overall: float) -> go.Figure:
    """Return the share of wrong predictions of each kind of face, the highest on top.

    Args:
        leaves: columns `where`, `faces`, `wrong`, `value`, `low`, `high`.
        overall: share of wrong predictions of all faces, drawn as a dashed line.
    """
    rows = [f"{place}. {where}" for place, where in enumerate(leaves["where"], 1)]
    marks = _rates(leaves.assign(group=rows, compared=True), rows, ACCENT)
    marks["marker"]["size"] = 13
    line, note = reference(overall, f"all faces {percent(overall)}")
    return chart(
        [marks],
        110 + 48 * len(rows),
        xaxis=axis("Wrong (95 % interval)", range=[0, _end(leaves["high"])]),
        yaxis=category_axis(rows, ticktext=[in_lines(row, 30) for row in rows]),
        shapes=[line],
        annotations=[note],
    )


def _rates(part: pd.DataFrame, rows: Iterable[str], color: str) -> dict[str, Any]:
    few = ["" if compared else "<br>too few faces to compare" for compared in part["compared"]]
    expressions = part.get("expression", part["group"])
    value, low, high = (percents(part[column]) for column in ("value", "low", "high"))
    about = zip(part["group"].map(safe), low, high, part["faces"], few, expressions, strict=True)
    return dots(part, "value", rows, color, thickness=3) | {
        "orientation": "h",
        "customdata": list(about),
        "hovertext": value,
        "hovertemplate": "<b>%{customdata[0]}</b><br>%{hovertext}, 95 % interval %{customdata[1]} to "
        "%{customdata[2]}<br>of %{customdata[3]:,} faces%{customdata[4]}<extra></extra>",
    }


def _hover(table: pd.DataFrame, value: str, *, title: str, number: str = ".1%") -> dict[str, Any]:
    texts = (percents(table[column], number) for column in (value, "low", "high"))
    return {
        "customdata": list(zip(table["model"].map(safe), *texts, strict=True)),
        "hovertemplate": f"<b>%{{customdata[0]}}</b><br>{safe(title)} %{{customdata[1]}}<br>95 % interval "
        "%{customdata[2]} to %{customdata[3]}<extra></extra>",
    }


def _numbers(table: pd.DataFrame, value: str, rows: Sequence[Any]) -> dict[str, Any]:
    """Return the numbers as text to the right of the whiskers; on a phone the last digits may stand in the margin."""
    texts = [f"  <b>{amount}</b>" for amount in percents(table[value])]
    return words(list(table["high"]), list(rows), texts, FONT, showlegend=False)


def _room(ends: Sequence[float]) -> list[float]:
    """Return the range of an axis with space for a number to the right of the last whisker."""
    low, high = min(ends), max(ends)
    room = max(0.02, 0.4 * (high - low))
    return [max(0.0, low - room / 4), high + room]


def _end(high: pd.Series) -> float:
    """Return the upper end of the axis: the next multiple of 5 %, at most 100 %."""
    return min(1.0, ceil(20.4 * float(high.max())) / 20)
