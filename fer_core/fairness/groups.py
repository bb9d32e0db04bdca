"""Rates of each expression by group of faces, the largest differences between groups, their tests; a tree of errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fer_core.classifier import Classifier
from fer_core.columns import CONSISTENCY_COLUMNS, Columns
from fer_core.faces import CHANGES
from fer_core.files import records
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.intervals import Interval, percentile_interval, wilson_interval
from fer_core.metrics.predictions import as_labels
from fer_core.types import FerError

MINIMUM: Final = 30
"""Faces below which a rate is not compared with that of other groups."""

ALL: Final = "all"
"""Stands for all expressions together, in `accuracy`."""

RATES: Final[dict[str, str]] = {
    "recall": "Recall",
    "precision": "Precision",
    "selection_rate": "Predicted as",
    "accuracy": "Accuracy",
}
"""Each rate with its title. Without labels of expressions there is only `selection_rate`."""

GAP_COLUMNS: Final[Columns] = {
    "expression": "Expression",
    "highest": "Highest",
    "highest_value": ("Rate, %", "%.1f"),
    "lowest": "Lowest",
    "lowest_value": ("Rate, % ", "%.1f"),
    "gap": ("Gap, points", "%.1f"),
    "low": ("95 % from", "%.1f"),
    "high": ("to", "%.1f"),
    "ratio": ("Lowest / highest", "%.2f"),
    "ratio_low": ("95 % from ", "%.2f"),
    "ratio_high": ("to ", "%.2f"),
    "p_holm": ("p (Holm)", "%.4f"),
}
"""Columns of the gaps of a `GroupAudit` that are shown, with their titles; shares are shown times 100."""

LIMITS: Final[dict[str, str]] = {
    "These faces, this model.": "The numbers describe the pictures at hand. Other cameras, other light and other "
    "people can give others.",
    "The groups are those of the table.": "No model here guesses gender, age or ethnicity, and none should: a face "
    "does not show them. In UTKFace they are estimates by software, checked by people, not what anyone said of "
    "themselves.",
    "A gap in predictions is not yet an error.": "Without known expressions nobody can say who is right. If men are "
    "predicted angry more often than women, the model may be wrong, or the men on these pictures may scowl more "
    "often. With known expressions, compare recall and precision.",
    "Labels are judgements too.": "Annotators can hold the same prejudice as the model that learns from them. Equal "
    "recall by their labels does not prove that a model treats people alike.",
    "Small groups say little.": "Rates of fewer faces than the minimum are not compared. Several pictures of one "
    "person count as several faces, so the intervals are then too narrow.",
    "No gap found is not no gap.": "It may be too small for the number of faces, or in a group that nobody named.",
    "Fair is not fit for use.": "Even without any gap, an expression is not a feeling, and no decision about a person "
    "should depend on it.",
}
"""What an audit can and cannot say, for the page and the command line: sentences by their short form."""

_IS: Final = " is "

DRAWS: Final = 10_000
"""Of a permutation test, and of the bootstrap of a ratio."""


@dataclass(frozen=True, eq=False)
class GroupAudit:
    """How a model treats the groups of one division, such as "gender" or "brightness".

    Attributes:
        sizes: number of faces by group, in the order of the groups.
        rates: one row for each group, rate and expression. Columns `group`, `rate` (a key of `RATES`), `expression`,
            `faces` (that the rate is a share of), `value`, `low`, `high` (95 % interval by Wilson) and `compared`
            (whether there are enough faces).
        gaps: one row for each rate and expression with at least two groups to compare. Columns `rate`, `expression`,
            `groups` (number of them), `highest`, `highest_value`, `lowest`, `lowest_value`, `gap` (their difference),
            `low`, `high` (95 % interval of the difference by Newcombe), `ratio` (lowest divided by highest),
            `ratio_low`, `ratio_high` (95 % bootstrap interval), `p` (permutation test) and `p_holm` (adjusted for all
            rows).
    """

    by: str
    sizes: dict[str, int]
    minimum: int
    rates: pd.DataFrame
    gaps: pd.DataFrame

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        tables = {"rates": records(self.rates), "gaps": records(self.gaps)}
        return {"by": self.by, "groups": self.sizes, "minimum": self.minimum, **tables}


def audit_groups(
    by: str,
    groups: Sequence[str] | NDArray[Any],
    predicted: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    order: Sequence[str] | None = None,
    minimum: int = MINIMUM,
) -> GroupAudit:
    """Compare the predictions of a model between groups of faces.

    Rates are of one expression against the rest. A gap is the difference between the groups with the highest and the
    lowest value. Its interval is that of these two groups (Newcombe 1998, method 10), which also holds for rates of 0
    and 1, where resampled faces never differ; the ratio's is a bootstrap. Neither knows that the groups were picked
    because they differ most. The test does: group names are dealt out again at random, and p is the share of deals
    whose largest gap is at least as large. For recall they are dealt out among the faces with the label, for precision
    among those with the prediction. Holm's correction covers all rates and expressions of this division.

    Faces count as independent. If a person is on several of them, intervals are too narrow and p-values too small.

    Args:
        by, groups: name of the division; and `(n,)` the name of each face's group.
        predicted, labels: `(n,)` predicted and true classes, 0..6; no labels if they are unknown.
        order: of the groups; by default alphabetical.
        minimum: faces that a rate needs to be compared.

    Raises:
        FerError: there are no faces, or fewer than one face is asked for.
        ValueError: the arrays have different lengths or hold other values.
    """
    names = np.asarray(groups, dtype=object).astype(str)
    if minimum < 1:
        raise FerError(f"Expected a minimum of at least one face in a group. Received: {minimum}")
    if not len(names):
        raise FerError("Expected at least one face to compare groups. Received: none")
    answers = as_labels(predicted, "predicted")
    truth = None if labels is None else as_labels(labels, "labels")
    if len(answers) != len(names) or (truth is not None and len(truth) != len(names)):
        raise ValueError(
            f"Expected one group, prediction and label for each face. Received: {len(names)}, {len(answers)} and "
            f"{'none' if truth is None else len(truth)}"
        )
    counts = pd.Series(names).value_counts()
    sizes = {name: int(counts[name]) for name in order or sorted(counts.index) if name in counts}
    rates = _rates(names, answers, truth, minimum)
    places = {name: place for place, name in enumerate(sizes)}
    rates = rates.sort_values("group", key=lambda column: column.map(places), kind="stable", ignore_index=True)
    columns = ["group", "rate", "expression", "faces", "value", "low", "high", "compared"]
    return GroupAudit(by, sizes, minimum, rates[columns], _gaps(rates))


def _rates(names: NDArray[Any], answers: NDArray, truth: NDArray | None, minimum: int) -> pd.DataFrame:
    """Return the table of `GroupAudit.rates`, and in `hits` how many of the `faces` count."""
    everyone = np.ones(len(names), dtype=bool)
    shares: list[tuple[str, str, NDArray[np.bool_], NDArray[np.bool_]]] = []
    for index, expression in enumerate(EXPRESSIONS):
        chosen = answers == index
        if truth is not None:
            real = truth == index
            shares += [("recall", expression, chosen & real, real), ("precision", expression, chosen & real, chosen)]
        shares.append(("selection_rate", expression, chosen, everyone))
    if truth is not None:
        shares.append(("accuracy", ALL, answers == truth, everyone))
    parts = []
    for rate, expression, hits, faces in shares:
        counts = pd.DataFrame({"group": names, "hits": hits, "faces": faces}).groupby("group", as_index=False).sum()
        parts.append(counts.assign(rate=rate, expression=expression))
    table = pd.concat(parts, ignore_index=True)
    table["value"] = table["hits"] / table["faces"]
    ends = [vars(wilson_interval(*counts)) for counts in table[["hits", "faces"]].to_numpy().tolist()]
    return table.join(pd.DataFrame(ends)).assign(compared=table["faces"] >= minimum)


def consistency(classifier: Classifier, faces: NDArray[np.uint8], groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return how often a classifier says the same of faces `(n, 48, 48)` and of changed copies of them, by group.

    It needs no labels, and does not say whether a prediction is right.

    Args:
        groups: by division, the group of each face.

    Returns:
        The columns `columns.CONSISTENCY_COLUMNS` but `data`: all faces first, then each group by its name.
    """
    before = classifier.predict(faces).probabilities.argmax(axis=1)
    members = {("", ""): np.ones(len(faces), dtype=bool)}
    for by, names in groups.items():
        members |= {(by, name): np.asarray(names) == name for name in sorted(set(names))}
    rows = []
    for change, apply in CHANGES.items():
        same = classifier.predict(apply(faces)).probabilities.argmax(axis=1) == before
        for (by, name), inside in members.items():
            hits, count = int(same[inside].sum()), int(inside.sum())
            rows.append((by, name, change, count, hits / count, *vars(wilson_interval(hits, count)).values()))
    return pd.DataFrame(rows, columns=CONSISTENCY_COLUMNS[1:])


def _gaps(rates: pd.DataFrame) -> pd.DataFrame:
    """Return the largest gap of each rate and expression, with its interval and its test."""
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.proportion import confint_proportions_2indep

    rows: list[tuple[Any, ...]] = []
    for (rate, expression), part in rates[rates["compared"]].groupby(["rate", "expression"], sort=False):
        if len(part) < 2:
            continue
        names, values, faces, hits = (part[name].to_numpy() for name in ("group", "value", "faces", "hits"))
        top = int(values.argmax())
        bottom = int(np.delete(values, top).argmin())  # another group, even if all values are equal
        bottom += bottom >= top
        highest, lowest, pair = values[top], values[bottom], (hits[top], faces[top], hits[bottom], faces[bottom])
        low, high = confint_proportions_2indep(*pair, method="newcomb", compare="diff")
        ratio, interval = lowest / highest if highest else np.nan, ratio_interval(*pair)
        groups = (len(part), names[top], highest, names[bottom], lowest)
        gap = (highest - lowest, low, high, ratio, interval.low, interval.high, permutation_p(hits, faces))
        rows.append((rate, expression, *groups, *gap))
    columns = ["rate", "expression", "groups", "highest", "highest_value", "lowest", "lowest_value", "gap"]
    table = pd.DataFrame(rows, columns=[*columns, "low", "high", "ratio", "ratio_low", "ratio_high", "p"])
    return table.assign(p_holm=multipletests(table["p"], method="holm")[1] if len(table) else [])


def ratio_interval(top_hits: int, top_faces: int, bottom_hits: int, bottom_faces: int) -> Interval:
    """Return the 95 % bootstrap interval of the ratio of two shares, lower divided by higher.

    The faces of each group are drawn again with replacement; the number of hits in a draw is binomial. Draws without a
    hit in the higher group have no ratio and are left out. Without any hit in a group, no draw says anything: NaN.
    """
    if not top_hits or not bottom_hits:
        return Interval()
    generator = np.random.default_rng(0)
    top = generator.binomial(top_faces, top_hits / top_faces, DRAWS) / top_faces
    bottom = generator.binomial(bottom_faces, bottom_hits / bottom_faces, DRAWS) / bottom_faces
    return percentile_interval(np.divide(bottom, top, out=np.full(DRAWS, np.nan), where=top > 0), 0.95)


def permutation_p(hits: NDArray[np.int64], faces: NDArray[np.int64]) -> float:
    """Return the p-value of the largest difference between the shares of several groups.

    Dealing out group names at random leaves the number of hits and the sizes of the groups `(groups,)` as they are. The
    hits of the groups then follow a multivariate hypergeometric distribution, from which deals are drawn. The observed
    deal counts as one of them (Phipson and Smyth 2010).
    """
    observed = np.ptp(hits / faces)
    deals = np.random.default_rng(0).multivariate_hypergeometric(faces, int(hits.sum()), DRAWS, method="marginals")
    reached = int((np.ptp(deals / faces, axis=1) >= observed - 1e-12).sum())
    return (1 + reached) / (1 + DRAWS)


def error_tree(properties: pd.DataFrame, wrong: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the leaves of a decision tree that separates faces with wrong predictions from the others.

    One half of the faces, drawn at random, grows the tree; at most three conditions describe a leaf. The numbers are
    counted on the other half: on the first, a leaf could look worse than it is, because it was chosen for its errors.
    Properties that are numbers are split by thresholds, and may be NaN; texts by their values.

    Returns:
        One row for each leaf, most errors first. Columns `faces`, `wrong` (numbers of the second half), `value` (share
        of wrong predictions), `low`, `high` (95 % interval) and `where` (the conditions as text).

    Raises:
        FerError: there are too few faces.
    """
    from sklearn.tree import DecisionTreeClassifier

    if len(properties) < 200:
        raise FerError(f"A tree of errors needs at least 200 faces with known answers. Received: {len(properties)}")
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
