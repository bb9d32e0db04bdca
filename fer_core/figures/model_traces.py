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


def whiskers_of(part: pd.DataFrame, style: ModelStyle) -> dict[str, Any]:
    """Return error bars from `low` to `high` around `accuracy`."""
    middle, low, high = (part[name].to_numpy(np.float64) for name in ("accuracy", "low", "high"))
    return {
        "type": "data", "symmetric": False, "array": high - middle, "arrayminus": middle - low,
        "color": style.color, "thickness": 2, "width": 0,
    }  # fmt: skip
