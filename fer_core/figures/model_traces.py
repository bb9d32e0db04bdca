"""What the lines of a model have in common in every chart of curves."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from fer_core.figures.theme import ModelStyle, listed, safe


def group_of(model: str, front: Collection[str] | None, focus: str | None, first: bool = True) -> dict[str, Any]:
    """Return what joins all traces of a model: one entry in the legend shows and hides them together."""
    shown = front if front is None else {*front, focus}
    return {
        "name": safe(model),
        "legendgroup": safe(model),
        "showlegend": first,
        **listed(model, shown),
        "zorder": int(model == focus),
    }


def line_of(style: ModelStyle, model: str, focus: str | None) -> dict[str, Any]:
    """Return the line of a model, wider if it is emphasized."""
    return {"color": style.color, "dash": style.dash, "width": 4 if model == focus else 2.2}


def opacity_of(model: str, focus: str | None) -> float:
    """Return how opaque a model is drawn: the others are pale if one is emphasized."""
    return 1.0 if focus in (None, model) else 0.55


def hover_of(model: str, number: str, interval: str, place: str, narrow: bool) -> str:
    """Return the hover template of a line of a chart with `shared_hover`.

    Args:
        model: its title.
        number: what is drawn, as part of a template.
        interval: the same for its interval; empty for none.
        place: the same for the place on the horizontal axis, for narrow screens, which have no shared hover.
        narrow: whether there is no room for all in one line.
    """
    if narrow:
        lines = (f"<b>{safe(model)}</b>", place, number, interval)
        return "<br>".join(line for line in lines if line) + "<extra></extra>"
    return f"{safe(model)}: {number}" + (f" ({interval})" if interval else "") + "<extra></extra>"


def shared_hover(narrow: bool) -> dict[str, Any]:
    """Return the layout that shows all models at the pointer's place; on a narrow screen the nearest one only."""
    return {"hovermode": "closest"} if narrow else {"hovermode": "x unified", "hoverdistance": -1}


def whiskers_of(part: pd.DataFrame, style: ModelStyle) -> dict[str, Any]:
    """Return error bars from `low` to `high` around `accuracy`."""
    middle, low, high = (part[name].to_numpy(np.float64) for name in ("accuracy", "low", "high"))
    return {
        "type": "data", "symmetric": False, "array": high - middle, "arrayminus": middle - low,
        "color": style.color, "thickness": 2, "width": 0,
    }  # fmt: skip
