"""The stored predictions of several models on one test split, aligned by face."""

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
"""Name of the ensemble among the models. No folder of the store can have it."""


@dataclass(frozen=True, eq=False)
class Answers:
    """The predictions of several models on the same faces. Arrays are read-only, because sessions share them.

    Attributes:
        split: "PublicTest" or "PrivateTest".
        view: "plain" or "flip".
        rows: `(n,)` int64, row numbers in FER2013; -1 if unknown.
        labels: `(n,)` int64, 0..6.
        probabilities: `(n, 7)` float64 by name of the model; rows sum to 1.
        titles: the name that people read, by name of the model.
    """

    split: str
    view: str
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    probabilities: Mapping[str, NDArray[np.float64]]
    titles: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """Names of the models in the order of the store, an ensemble last."""
        return list(self.probabilities)

    @property
    def where(self) -> str:
        """Split and view as text, for captions."""
        return f"{self.split}, {'plain' if self.view == 'plain' else 'averaged with the mirror image'}"

    def only(self, names: Iterable[str]) -> Answers:
        """Return the predictions of these models only, in the same order; of all if no name is known."""
        wanted = set(names) & set(self.probabilities)
        if not wanted:
            return self
        return replace(self, probabilities={n: p for n, p in self.probabilities.items() if n in wanted})

    def plus(self, name: str, title: str, probabilities: NDArray[np.float64]) -> Answers:
        """Return the predictions with one more model."""
        return replace(
            self,
            probabilities={**self.probabilities, name: _read_only(probabilities)},
            titles={**self.titles, name: title},
        )


def load_answers(models: Sequence[StoredModel], split: str, view: str) -> tuple[Answers | None, list[str]]:
    """Read the models' stored predictions.

    Args:
        models: as the store lists them; those without measured test splits are skipped.
        split: "PublicTest" or "PrivateTest".
        view: "plain" or "flip".

    Returns:
        The predictions (None if no model has any), and one sentence for each model that is left out because it has no
        predictions of this split, its file is damaged, or it was measured on other faces than most models.
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
    common = Counter(faces.values()).most_common(1)[0][0]
    kept = [name for name in tables if faces[name] == common]
    complaints += [
        f"The model {name} is left out of this comparison: its stored predictions of {split} are of other faces than "
        f"those of {kept[0]}."
        for name in tables
        if faces[name] != common
    ]
    rows, labels, _ = tables[kept[0]]
    answers = Answers(
        split=split,
        view=view,
        rows=_read_only(rows),
        labels=_read_only(labels),
        probabilities={name: _read_only(tables[name][2]) for name in kept},
        titles=_unique_titles({model.name: model.title for model in models if model.name in kept}),
    )
    return answers, complaints


def _read(
    model: StoredModel, split: str, view: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return rows, labels and probabilities, sorted by row.

    Raises:
        FerError: there are none of this split and view, or they cannot be used.
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


def _unique_titles(titles: Mapping[str, str]) -> dict[str, str]:
    """Append the name to titles that several models share."""
    counts = Counter(titles.values())
    return {name: f"{title} ({name})" if counts[title] > 1 else title for name, title in titles.items()}


def _read_only(values: NDArray) -> NDArray:
    values.setflags(write=False)
    return values
