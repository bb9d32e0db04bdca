"""Results of stored models: predictions, training curves, and the score on the hold-out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.columns import PROBABILITIES, TEST_SPLITS
from fer_core.metrics.checks import as_pair
from fer_core.metrics.predictions import Predictions, read_only
from fer_core.store.stored_model import HISTORY, PREDICTIONS, StoredModel
from fer_core.types import FerError, reason

ADD: Final = "To add them, measure a model again with FER+'s votes at hand: fer-lab evaluate NAME --save"

_CURVES: Final = ("loss", "accuracy")

_COLUMNS: Final = ["epoch", "value", "what", "faces", "name", "model"]


def load_predictions(
    models: Sequence[StoredModel], split: str, view: str, by: str = "label"
) -> tuple[Predictions | None, list[str]]:
    """Read the models' stored predictions.

    What most annotators say is known of the faces, so it is enough if one model's table has it. Faces without one clear
    answer are then left out.

    Args:
        models: as the store lists them; those without measured test splits are skipped.
        split: "PublicTest" or "PrivateTest".
        view: "plain" or "flip".
        by: one of `columns.YARDSTICKS`.

    Returns:
        The predictions (None if no model has any, or no table has this yardstick), and one sentence for each model that
        is left out because it has no predictions of this split, its file is damaged, or it was measured on other faces
        than most models. Faces of unknown row are the same if the data sets have the same fingerprint.
    """
    tables: dict[str, _Table] = {}
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
    faces = {name: (table.rows.tobytes(), table.labels.tobytes(), table.data) for name, table in tables.items()}
    common = Counter(faces.values()).most_common(1)[0][0]
    kept = [name for name in tables if faces[name] == common]
    complaints += [
        f"The model {name} is left out of this comparison: its stored predictions of {split} are of other faces than "
        f"those of {kept[0]}."
        for name in tables
        if faces[name] != common
    ]
    first = tables[kept[0]]
    truth = first.labels
    if by == "plurality":
        known = [tables[name].plurality for name in kept if (tables[name].plurality >= 0).any()]
        if not known:
            return None, [*complaints, f"No model has the annotators' answers on {split} with its predictions. {ADD}"]
        truth = known[0]
    judged = truth >= 0
    predictions = Predictions(
        split=split,
        view=view,
        by=by,
        rows=read_only(first.rows[judged]),
        labels=read_only(truth[judged]),
        given=read_only(first.labels[judged]),
        split_faces=len(judged),
        probabilities={name: read_only(tables[name].probabilities[judged]) for name in kept},
        titles=_unique_titles({model.name: model.title for model in models if model.name in kept}),
    )
    return predictions, complaints


class _Table(NamedTuple):
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    plurality: NDArray[np.int64]
    data: str  # empty if the rows are known; else what identifies the faces and their order


def _read(model: StoredModel, split: str, view: str) -> _Table:
    """Return a model's table, sorted by row.

    Raises:
        FerError: there are none of this split and view, or they cannot be used.
    """
    where = f"The model {model.name} is left out: its {PREDICTIONS}"
    try:
        table = model.predictions(TEST_SPLITS[split], view).sort_values("row", kind="stable")
        rows, labels, plurality = (table[column].to_numpy(np.int64) for column in ("row", "label", "plurality"))
        probabilities = table[PROBABILITIES].to_numpy(np.float64)
        data = "" if (rows >= 0).all() else model.card.data_fingerprint or model.name
        return _Table(rows, *as_pair(labels, probabilities, "the probabilities"), plurality, data)
    except FerError:
        raise
    except KeyError as error:
        raise FerError(f"{where} lacks a column ({error.args[0]}).") from error
    except (OSError, ValueError, TypeError, OverflowError) as error:
        raise FerError(f"{where} cannot be used ({reason(error)}).") from error


def _unique_titles(titles: Mapping[str, str]) -> dict[str, str]:
    """Append the name to titles that several models share."""
    counts = Counter(titles.values())
    return {name: f"{title} ({name})" if counts[title] > 1 else title for name, title in titles.items()}


def history_table(
    models: Sequence[StoredModel], titles: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Read the training curves of models.

    Args:
        models: of the store.
        titles: replaces the titles of models, by name.

    Returns:
        A table with the columns `name`, `model`, `epoch` (from 1), `what` ("loss" or "accuracy"), `faces` ("training"
        or "hold-out") and `value`; the titles of models without curves; one sentence for each file that cannot be read.
    """
    tables: list[pd.DataFrame] = []
    without: list[str] = []
    complaints: list[str] = []
    for model in models:
        path = model.folder / HISTORY
        title = (titles or {}).get(model.name, model.title)
        if not path.is_file() or path.stat().st_size < 2:
            without.append(title)
            continue
        try:
            history = model.history()
            curves = training_curves(history, title, model.name)
        except (OSError, ValueError, TypeError) as error:
            words = f"The training curves of {model.name} are left out: its {HISTORY} is damaged"
            complaints.append(f"{words} ({reason(error)}).")
            continue
        if curves.empty:
            without.append(title)
        else:
            tables.append(curves)
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS)
    return table.dropna(), without, complaints


def training_curves(history: pd.DataFrame, title: str, name: str) -> pd.DataFrame:
    """Return the training curves of one run with the columns of `history_table`; empty if there are none yet.

    Args:
        history: one row for each epoch, with some of `epoch` (from 0), `loss`, `accuracy`, `val_loss`, `val_accuracy`.
        title: the name that people read.
        name: unique among the runs.
    """
    epochs = history["epoch"] + 1 if "epoch" in history else history.index + 1
    tables = []
    for what in _CURVES:
        for column, faces in ((what, "training"), (f"val_{what}", "hold-out")):
            if column in history:
                table = pd.DataFrame({"epoch": epochs.astype(int), "value": history[column].astype(float)})
                tables.append(table.assign(what=what, faces=faces, name=name, model=title))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS)


def recommendation(one: StoredModel, other: StoredModel) -> str:
    """Return which of two models the score on the hold-out recommends, by which the default model is chosen, too.

    Returns:
        A sentence with their titles and scores, or why there is no recommendation.
    """
    scores = [(model.card.holdout_score, model.title, model.card.scored_faces) for model in (one, other)]
    known = sorted([(score, title) for score, title, _ in scores if score is not None], reverse=True)
    faces = {number for _, _, number in scores}
    if len(known) < 2 or len(faces) > 1 or None in faces:
        return (
            "No recommendation: this needs scores of both models on FER2013's whole fixed hold-out, with FER+'s votes. "
            "A run on FER2013 gets one, if the votes are at hand."
        )
    (high, first), (low, second) = known
    verdict = f"{first} is recommended" if high > low else "neither is recommended"
    return (
        f"{first} scores {high:.1%} on the hold-out, {second} {low:.1%}: {verdict}. The score is the mean of the "
        "accuracies by FER2013's label and by most annotators, each on clean and on degraded faces."
    )
