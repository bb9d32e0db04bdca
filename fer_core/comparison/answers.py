"""What every stored model answered on one test split, face by face: the one input of all comparisons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_core.columns import PROBABILITIES, TEST_SPLITS
from fer_core.evaluation.checks import as_pair
from fer_core.store import PREDICTIONS, StoredModel
from fer_core.types import FerError

ENSEMBLE: Final = "+ensemble"
"""The key of a fusion of several models; no folder is called so, for folders of the store are shown by their name."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Several models on the same faces. Arrays are read-only: they are shared between sessions.

    Attributes:
        split: "PublicTest" or "PrivateTest".
        view: "plain" or "flip".
        rows: `(n,)` int64, FER2013's row numbers; -1 where unknown.
        labels: `(n,)` int64, 0..6.
        probabilities: model's name to `(n, 7)` float64, rows that sum to 1.
        titles: model's name to the title that people read.
    """

    split: str
    view: str
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    probabilities: Mapping[str, NDArray[np.float64]]
    titles: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """The models, in the store's order; an ensemble last."""
        return list(self.probabilities)

    @property
    def where(self) -> str:
        """Split and view in words, to stand beside every number."""
        return f"{self.split}, {'plain' if self.view == 'plain' else 'averaged with the mirror image'}"

    def only(self, names: Iterable[str]) -> Answers:
        """Return these models alone, in this object's order; all of them if none of the names is known."""
        wanted = set(names) & set(self.probabilities)
        if not wanted:
            return self
        return replace(self, probabilities={n: p for n, p in self.probabilities.items() if n in wanted})

    def plus(self, name: str, title: str, probabilities: NDArray[np.float64]) -> Answers:
        """Return these models and one more."""
        return replace(
            self,
            probabilities={**self.probabilities, name: _frozen(probabilities)},
            titles={**self.titles, name: title},
        )


def load_answers(models: Sequence[StoredModel], split: str, view: str) -> tuple[Answers | None, list[str]]:
    """Read the models' stored predictions.

    Args:
        models: as the store lists them; those that are not `tested` have no answers to read.
        split: "PublicTest" or "PrivateTest".
        view: "plain" or "flip".

    Returns:
        The answers (None if no model has usable ones), and one sentence for each model that is left out: without
        predictions of this split, with a damaged file, or measured on other faces than most of the models.
    """
    tables: dict[str, tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = {}
    complaints: list[str] = []
    for model in models:
        if not model.card.tested:
            continue
        try:
            tables[model.name] = _read(model, split, view)
        except FerError as error:
            complaints.append(str(error))
    if not tables:
        return None, complaints
    faces = {name: (rows.tobytes(), labels.tobytes()) for name, (rows, labels, _) in tables.items()}
    usual = Counter(faces.values()).most_common(1)[0][0]
    kept = [name for name in tables if faces[name] == usual]
    complaints += [
        f"The model {name} is left out of this comparison: its stored predictions of {split} are of other faces than "
        f"those of {kept[0]}."
        for name in tables
        if faces[name] != usual
    ]
    rows, labels, _ = tables[kept[0]]
    answers = Answers(
        split=split,
        view=view,
        rows=_frozen(rows),
        labels=_frozen(labels),
        probabilities={name: _frozen(tables[name][2]) for name in kept},
        titles=_told_apart({model.name: model.title for model in models if model.name in kept}),
    )
    return answers, complaints


def _read(
    model: StoredModel, split: str, view: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return rows, labels and probabilities, sorted by row.

    Raises:
        FerError: there are none of that split and view, or they cannot be used.
    """
    where = f"The model {model.name} is left out: its {PREDICTIONS}"
    try:
        table = model.predictions(TEST_SPLITS[split], view).sort_values("row", kind="stable")
        rows, labels = (table[column].to_numpy(np.int64) for column in ("row", "label"))
        return rows, *as_pair(labels, table[PROBABILITIES].to_numpy(np.float64), "the probabilities")
    except FerError:
        raise
    except KeyError as error:
        raise FerError(f"{where} lacks a column ({error.args[0]}).") from error
    except (OSError, ValueError, TypeError, OverflowError) as error:
        raise FerError(f"{where} cannot be used ({str(error).splitlines()[0][:160]}).") from error


def _told_apart(titles: Mapping[str, str]) -> dict[str, str]:
    """Put the folder's name behind a title that two models share."""
    often = Counter(titles.values())
    return {name: f"{title} ({name})" if often[title] > 1 else title for name, title in titles.items()}


def _frozen(values: NDArray) -> NDArray:
    values.setflags(write=False)
    return values
