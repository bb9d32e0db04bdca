"""Measure what was made elsewhere, a model file or predictions, and store it beside the models of this project."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.added import SCALES, ModelFile, Takes, are_probabilities, columns_of, probabilities
from fer_core.classifier import Classifier
from fer_core.columns import PREDICTION_COLUMNS, PROBABILITIES, TEST_SPLITS, percent
from fer_core.data import FaceDataset, training_and_holdout
from fer_core.data.fer2013 import csv_face, gray_face
from fer_core.data.fer2013_rows import with_rows
from fer_core.data.images import resized
from fer_core.data.spellings import NUMBERS, read_expressions
from fer_core.files import checked_name
from fer_core.labels import EXPRESSIONS, NUM_CLASSES
from fer_core.measuring.measure import predict_splits, summarize
from fer_core.metrics.predictions import as_probabilities
from fer_core.store.card import ELSEWHERE, ModelCard
from fer_core.store.folders import model_folders, save_model
from fer_core.store.stored_model import StoredModel
from fer_core.tables import read_table
from fer_core.types import FerError

ORDERS: Final = {
    tuple(sorted(EXPRESSIONS)),
    *(tuple(name for name in order if name in EXPRESSIONS) for order in NUMBERS.values()),
}
"""The usual orders of the seven expressions: the alphabet's, and those of data sets."""

TABLES: Final = (".csv", ".gz", ".parquet")
"""Endings of tables of predictions."""

GUESSED_ON: Final = 500  # faces of the hold-out, at most
_CLEARER: Final = 0.02  # by how much another order must be more accurate than the usual ones


class Guess(NamedTuple):
    """One way to use a model file, and its accuracy on faces of the hold-out by FER2013's label."""

    takes: Takes
    accuracy: float
    faces: int


def guess(
    content: bytes,
    dataset: FaceDataset,
    *,
    size: int | None = None,
    colour: str | None = None,
    scale: str | None = None,
    classes: Sequence[str] = (),
) -> list[Guess]:
    """Try the usual ways to use a model file on the hold-out, and return them, the most accurate first.

    Only what is not given is tried: every scale, the orders of colours where they differ, and the usual orders of the
    expressions. Another order is taken if it is clearly more accurate.

    Raises:
        FerError: the file cannot be used, or what is given does not fit it.
    """
    file = ModelFile(content)
    if file.side is None and size is None:
        raise FerError("The file leaves the size of its picture open. Name the side in pixels with --size.")
    if None not in {file.side, size} and file.side != size:
        raise FerError(f"The file takes pictures of {file.side} pixels. Received: --size {size}")
    if colour is not None and file.colour == (colour == "gray"):
        raise FerError(f"The file takes {'colour' if file.colour else 'gray'} pictures. Received: --colour {colour}")
    held = training_and_holdout(dataset)[1]
    held = held.subset(np.arange(0, len(held), -(-len(held) // GUESSED_ON)))
    side = int(size or file.side or 0)
    faces = np.array([resized(face, (side, side)) for face in held.images], np.float32)
    guesses = []
    for a_scale in [scale] if scale else SCALES:
        differs = len(set(SCALES.get(a_scale, ((), ()))[0])) > 1  # between the channels
        for a_colour in [colour] if colour else ["rgb", *["bgr"] * differs] if file.colour else ["gray"]:
            takes = Takes(side, a_colour, a_scale, tuple(classes) or EXPRESSIONS)
            outputs = file.outputs(faces, colour=a_colour, scale=a_scale, classes=len(takes.classes))
            takes = replace(takes, logits=not are_probabilities(outputs))
            guesses.append(_with_order(takes, outputs, held.labels, given=bool(classes)))
    return sorted(guesses, key=lambda guess: -guess.accuracy)


def _with_order(takes: Takes, outputs: NDArray[np.float64], labels: NDArray[np.int64], *, given: bool) -> Guess:
    """Return the best order of the classes for the outputs of one way to prepare the pictures."""

    def tried(classes: Sequence[str]) -> Guess:
        takes_these = replace(takes, classes=tuple(classes))
        answers = probabilities(outputs, takes_these.columns, logits=takes.logits).argmax(axis=1)
        return Guess(takes_these, float((answers == labels).mean()), len(labels))

    if given:
        return tried(takes.classes)
    from scipy.optimize import linear_sum_assignment

    usual = max(map(tried, sorted(ORDERS)), key=lambda guess: guess.accuracy)
    shares = probabilities(outputs, range(NUM_CLASSES), logits=takes.logits)
    means = [shares[labels == label].mean(axis=0) if (labels == label).any() else [0] * 7 for label in range(7)]
    columns = linear_sum_assignment(np.array(means), maximize=True)[1]  # of each expression
    other = tried([EXPRESSIONS[index] for index in np.argsort(columns)])
    return other if other.accuracy > usual.accuracy + _CLEARER else usual


def guess_table(guesses: Sequence[Guess]) -> pd.DataFrame:
    """Return the guesses as a table of texts for people."""
    rows = [
        {
            "Scale": takes.scale,
            "Colour": takes.colour,
            "Size": str(takes.size),
            "Outputs": "logits" if takes.logits else "probabilities",
            "Classes": ", ".join(takes.classes),
            f"Accuracy on {faces} faces of the hold-out": percent(accuracy, ".1%"),
        }
        for takes, accuracy, faces in guesses
    ]
    return pd.DataFrame(rows)


def add_file(
    name: str, content: bytes, takes: Takes, dataset: FaceDataset, *, root: Path, title: str = "", source: str = ""
) -> StoredModel:
    """Measure a model file on the test splits and store it under a name that no model has yet.

    `source` is the file's name, for the card.
    """
    check_new(name)
    predictions = predict_splits(Classifier(content, takes=takes), dataset)
    served = {"storage": "as it was made", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    card = replace(
        _card(name, title, source, predictions, dataset),
        served=served,
        takes={**asdict(takes), "classes": list(takes.classes)},
    )
    return save_model(root, replace(card, input_size=takes.size), weights=content, predictions=predictions)


def add_predictions(
    name: str, path: Path, dataset: FaceDataset, *, root: Path, title: str = "", source: str = ""
) -> StoredModel:
    """Store predictions from a CSV or Parquet table as a model that is kept for comparison.

    Each row is a face: its row in `fer2013.csv` from 0 (`row`), its 2,304 gray levels (`pixels`), or a file beside the
    table (`file`). The prediction is seven columns of probabilities, named by the expressions, with or without `p_`; or
    one column with an expression or its number in FER2013, `expression`, `prediction` or `class`, which then gets the
    probability 1. Every face of a test split must be there once; other faces, and a test split of which there is less
    than a tenth, are left out.

    Raises:
        FerError: the table cannot be used; the message says which row or face.
    """
    check_new(name)
    table = _plainly_named(read_table(path), path.name)
    answers, rows_of = _answers(table), _rows(table, path, dataset)
    parts = []
    for title_of_split, split in TEST_SPLITS.items():
        part, rows = dataset.split(split), rows_of(title_of_split)
        here = np.flatnonzero(np.isin(rows, part.rows))
        if len(here) < len(part) / 10:  # other splits have a few of its pictures too
            continue
        places = pd.Series(here, index=rows[here])
        counts = places.groupby(level=0).size().reindex(part.rows, fill_value=0)
        if (wrong := counts[counts != 1]).size:
            raise FerError(
                f"Expected every face of {title_of_split} once. Received: row {wrong.index[0]} {wrong.iloc[0]} times, "
                f"and {len(wrong) - 1:,} more such rows."
            )
        shares = pd.DataFrame(answers[places[part.rows]].astype(np.float32), columns=PROBABILITIES)
        facts = {"row": part.rows, "label": part.labels, "plurality": part.plurality}
        parts.append(shares.assign(split=split, view="plain", **facts)[PREDICTION_COLUMNS])
    if not parts:
        raise FerError(f"{path.name} has no face of {' or '.join(TEST_SPLITS)}.")
    predictions = pd.concat(parts, ignore_index=True)
    return save_model(root, _card(name, title, source, predictions, dataset), predictions=predictions)


def _plainly_named(table: pd.DataFrame, file: str) -> pd.DataFrame:
    """Return a table with lower-case names of columns, without `p_`; a FerError names those that become the same."""
    given = list(map(str, table))
    plain = [column.strip().lower().removeprefix("p_") for column in given]
    for name in plain:
        if plain.count(name) > 1:
            same = [column for column, other in zip(given, plain, strict=True) if other == name]
            raise FerError(
                f"Several columns of {file} mean the same. Expected one named {name}. Received: {', '.join(same)}"
            )
    return table.set_axis(plain, axis=1)


def check_new(name: str) -> None:
    """Raise a `FerError` if this is no name for a model, or if a model has it."""
    checked_name(name, "model")
    for folder in model_folders():
        if (folder / name).exists():
            raise FerError(f"There is a model named {name} already, in {folder}. Choose another name, or delete it.")


def _card(name: str, title: str, source: str, predictions: pd.DataFrame, dataset: FaceDataset) -> ModelCard:
    now = datetime.now(UTC)
    return ModelCard(
        name=name,
        title=title or name,
        parameters=None,
        weights_from=ELSEWHERE,
        input_size=dataset.side,
        metrics=summarize(predictions, dataset, dataset.split("training")),
        served=None,
        training={"holdout": "unknown", "file": source},
        trained="unknown",
        data_fingerprint=dataset.fingerprint,
        measured=f"measured here on {now:%Y-%m-%d}",
        created=now.isoformat(timespec="seconds"),
    )


def _rows(table: pd.DataFrame, path: Path, dataset: FaceDataset) -> Callable[[str], NDArray[np.int64]]:
    """Return a function from a split to the row in FER2013 of each face; copies get the row in this split."""
    if "row" in table:
        rows = pd.to_numeric(table["row"], errors="coerce")
        bad = ~rows.isin(dataset.rows)
        if bad.any():
            raise FerError(
                f"Row {bad.argmax() + 1} of {path.name} (below the header) is no row of FER2013. Expected a whole "
                f"number from 0. Received: {str(table['row'][bad.argmax()])[:40]!r}"
            )
        known = rows.to_numpy(np.int64)
        return lambda _: known
    where = [f"Row {number} (below the header) of {path.name}" for number in range(1, len(table) + 1)]
    if "pixels" in table:
        images = [csv_face(str(text), words) for text, words in zip(table["pixels"], where, strict=True)]
    elif "file" in table:
        images = [gray_face(_beside(path, str(name)), path.parent) for name in table["file"]]
    else:
        raise FerError(f"{path.name} does not say which face a row is. Expected a column row, pixels or file.")
    unknown = np.full(len(images), -1)
    faces = FaceDataset(np.array(images), np.zeros_like(unknown), np.full(len(images), dataset.splits[0]), unknown)
    if (found := with_rows(faces).rows < 0).any():
        raise FerError(f"{where[int(found.argmax())]} is no face of FER2013.")
    return lambda split: with_rows(replace(faces, usage=np.full(len(faces), split))).rows


def _beside(path: Path, name: str) -> Path:
    """Return the path of a picture that a table names; only pictures in the folder of the table are read."""
    picture = path.parent / name
    if not picture.resolve().is_relative_to(path.parent.resolve()):
        raise FerError(f"Expected pictures in the folder of {path.name}. Received: {name[:80]}")
    return picture


def _answers(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the probabilities `(n, 7)` of a table, 1 for the expression if it has only that."""
    try:
        values = table.iloc[:, list(columns_of(list(map(str, table))))].apply(pd.to_numeric, errors="coerce")
    except FerError:  # not all seven have a column
        return _certain(table)
    try:
        return as_probabilities(values.to_numpy(np.float64), "the probabilities")
    except ValueError as error:
        raise FerError(f"The probabilities cannot be used. {error}") from error


def _certain(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the probability 1 for the expression of each row, a word or FER2013's number."""
    named = [column for column in ("expression", "prediction", "predicted", "class") if column in table]
    if not named:
        raise FerError(
            "The table has no predictions. Expected a column for each of "
            f"{', '.join(EXPRESSIONS)}, or one column named expression. Received: {', '.join(map(str, table))[:200]}"
        )
    texts = table[named[0]].map(str)
    index, _ = read_expressions(texts, "The table", "fer2013")
    if unknown := [text for text in texts if index.get(text, -1) < 0]:
        raise FerError(f"Unknown expression. Expected one of {', '.join(EXPRESSIONS)}. Received: {unknown[0][:40]!r}")
    return np.eye(NUM_CLASSES)[[index[text] for text in texts]]
