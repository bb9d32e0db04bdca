"""A small decision tree that finds the kinds of faces on which a model fails most."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.metrics.intervals import wilson_interval
from fer_core.types import FerError

MINIMUM: Final = 200
"""Faces that a tree needs."""

_IS: Final = " is "


def error_tree(properties: pd.DataFrame, wrong: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the leaves of a decision tree that separates faces with wrong predictions from the others.

    One half of the faces, drawn at random, grows the tree; at most three conditions describe a leaf. The numbers are
    counted on the other half: on the first, a leaf could look worse than it is, because it was chosen for its errors.

    Args:
        properties: one row for each face. Numbers are split by thresholds, and may be NaN; texts by their values.
        wrong: `(n,)` whether the prediction is wrong.

    Returns:
        One row for each leaf, most errors first. Columns `faces`, `wrong` (numbers of the second half), `value` (share
        of wrong predictions), `low`, `high` (95 % interval) and `where` (the conditions as text).

    Raises:
        FerError: there are too few faces.
    """
    from sklearn.tree import DecisionTreeClassifier

    if len(properties) < MINIMUM:
        raise FerError(
            f"A tree of errors needs at least {MINIMUM} faces with known answers. Received: {len(properties)}"
        )
    features = pd.get_dummies(properties, prefix_sep=_IS).astype(float)
    first = np.zeros(len(features), dtype=bool)
    first[np.random.default_rng(0).permutation(len(features))[: len(features) // 2]] = True
    least = max(20, int(0.03 * first.sum()))  # faces of a leaf
    tree = DecisionTreeClassifier(criterion="entropy", max_depth=3, min_samples_leaf=least, random_state=0)
    tree.fit(features[first].to_numpy(), wrong[first])
    leaves = tree.apply(features[~first].to_numpy())
    rows: list[dict[str, Any]] = []
    for leaf, where in _conditions(tree.tree_, list(features.columns)).items():
        inside = leaves == leaf
        faces, errors = int(inside.sum()), int(wrong[~first][inside].sum())
        if faces:
            numbers = {"faces": faces, "wrong": errors, "value": errors / faces}
            rows.append({**numbers, **vars(wilson_interval(errors, faces)), "where": where})
    return pd.DataFrame(rows).sort_values("value", ascending=False, kind="stable", ignore_index=True)


def _conditions(tree: Any, names: list[str]) -> dict[int, str]:
    """Return the conditions of each leaf as text, by the number of its node."""
    leaves: dict[int, str] = {}

    def walk(node: int, limits: dict[str, tuple[float, float]]) -> None:
        if tree.children_left[node] == -1:
            leaves[node] = ", ".join(_in_words(name, *ends) for name, ends in limits.items()) or "all faces"
            return
        name, threshold = names[tree.feature[node]], float(tree.threshold[node])
        low, high = limits.get(name, (-np.inf, np.inf))
        walk(tree.children_left[node], limits | {name: (low, min(high, threshold))})
        walk(tree.children_right[node], limits | {name: (max(low, threshold), high)})

    walk(0, {})
    return leaves


def _in_words(name: str, low: float, high: float) -> str:
    feature, is_text, value = name.partition(_IS)
    if is_text:
        return f"{feature} is {'' if low > 0 else 'not '}{value}"
    if np.isinf(low):
        return f"{name} up to {_number(high)}"
    return f"{name} over {_number(low)}" if np.isinf(high) else f"{name} {_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
