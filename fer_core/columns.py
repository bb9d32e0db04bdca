"""Names that tables, model cards and charts share: test splits, views and columns."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Final, TypeAlias

from fer_core.labels import EXPRESSIONS

Columns: TypeAlias = Mapping[str, str | tuple[str, str]]
"""The title of each column of a table in order, with the number format of a numeric one, as Streamlit takes it."""

PERCENT: Final = "%.1f %%"
"""Number format of a column of shares from 0 to 1, which is shown as percent."""

TEST_SPLITS: Final = {"PublicTest": "public_test", "PrivateTest": "private_test"}
"""FER2013's names of its test splits, each with the key that stored models use for it."""

VIEWS: Final[tuple[str, ...]] = ("plain", "flip")
"""How a face is classified: once as it is, or as the average with its mirror image."""

PROBABILITIES: Final[list[str]] = [f"p_{name}" for name in EXPRESSIONS]
"""Columns of the seven probabilities in a table of predictions."""

PREDICTION_COLUMNS: Final[list[str]] = ["row", "split", "view", "label", "plurality", *PROBABILITIES]
"""Columns of a model's stored predictions. `row` is FER2013's row number, -1 if unknown. `label` is FER2013's label,
`plurality` what most of FER+'s annotators say, -1 without votes or one clear answer. Older tables lack it."""

YARDSTICKS: Final[dict[str, str]] = {"label": "FER2013's label", "plurality": "most annotators"}
"""What predictions are judged by, each with its title. The keys are columns of a table of predictions."""

MAP_COLUMNS: Final[list[str]] = ["row", "x", "y", "kept"]
"""Columns of a model's map of faces, one row for each test face. `row` is FER2013's row number, `x` and `y` the place.
`kept` is how many of the ten faces with the most similar features are also among the ten nearest on the map."""

DEGRADED_COLUMNS: Final[list[str]] = [
    *("kind", "strength", "level", "faces", "accuracy", "low", "high", "confidence"),
    *("faces_plurality", "accuracy_plurality", "low_plurality", "high_plurality"),
]
"""Columns of a model's results on degraded faces, one row for each copy of the faces.

`kind` is a key of `faces.DEGRADATIONS`, `strength` 1 to 5 and `level` in the unit of the kind; the unchanged faces have
the kind `clean`, strength 0 and level 0. `confidence` is the mean probability of the predicted expression. The columns
that end in `_plurality` count the annotators' plurality as right instead of FER2013's label, on the faces with one;
`confidence` is over all faces in either case.
"""

CONSISTENCY_COLUMNS: Final[list[str]] = ["data", "by", "group", "change", "faces", "value", "low", "high"]
"""Columns of how often a model says the same of changed faces, one row for each change of `faces.CHANGES` and group.

`data` is what the faces are, `by` the division and `group` its group, empty for all faces. `value` is the share of the
`faces` whose prediction stays the same, with ends of Wilson's 95 % interval.
"""


def percent(share: float | None, number: str = ".0%") -> str:
    """Return a share in percent, in a format that ends in "%", with a space before the sign: "66.0 %".

    None and NaN are "–".
    """
    return "–" if share is None or isnan(share) else format(share, number).replace("%", " %")


def counted(number: int, noun: str) -> str:
    """Return a number of things with a noun in the singular: "1 face", "3,589 faces"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent_text(share: float) -> str:
    """Return a share as whole percent, "< 1 %" for small ones."""
    return "< 1 %" if 0 < share < 0.005 else percent(share)
