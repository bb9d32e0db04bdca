"""Measure a model on labelled faces, and compare it between groups of faces, in one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fer_core.columns import TEST_SPLITS
from fer_core.data import FaceDataset, load_fer2013
from fer_core.data.dataset import split_name
from fer_core.data.pictures import open_grouped
from fer_core.extras import extras
from fer_core.fairness.faces import dataset_faces, picture_faces, stored_faces
from fer_core.fairness.groups import MINIMUM
from fer_core.files import usable_path
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.metrics.confusion import confusion_matrix
from fer_core.metrics.core import METRICS, f1_table, measure_models
from fer_core.metrics.intervals import Interval
from fer_core.metrics.predictions import Predictions, as_pair, check_yardstick
from fer_core.store.datasets import find_dataset, list_datasets, load_dataset
from fer_core.store.folders import DEFAULT_MODEL, load_model
from fer_core.types import FerError

FER2013: Final = "fer2013"
"""Name of FER2013 among data sets."""


class Evaluation(NamedTuple):
    """How well a model does on labelled faces, as `evaluate` returns it.

    Attributes:
        about: the faces, and what judged the predictions.
        faces: number of faces.
        metrics: a row for each metric: `value`, and its 95 % interval by a bootstrap over the faces, `low` and `high`.
            The rows are `accuracy`, `macro_f1`, `roc_auc`, `avg_tpr`, `avg_fpr`, `ece` and `log_loss`.
        expressions: a row for each expression: `f1` with its interval, `precision`, `recall` and `faces`.
        confusion: number of faces, with a row for each true and a column for each predicted expression.
    """

    about: str
    faces: int
    metrics: pd.DataFrame
    expressions: pd.DataFrame
    confusion: pd.DataFrame


@extras()
def evaluate(
    model: str | Callable[[NDArray[np.uint8]], ArrayLike] | ArrayLike,
    dataset: str | FaceDataset = "fer2013",
    *,
    split: str | None = None,
    by: Literal["label", "plurality"] = "label",
    flip: bool = False,
) -> Evaluation:
    """Measure a trained model, or anybody's predictions, on labelled faces.

    Args:
        model: name of a trained model; a function from faces `(n, 48, 48)` uint8 gray to probabilities `(n, classes)`;
            or the probabilities themselves, in the order of the faces and of `dataset.classes`, which are
            `labels.EXPRESSIONS` unless the data set has classes of its own.
        dataset: `"fer2013"`, the name of a data set of your own (`fer-lab data add`), or faces. For a trained model on
            FER2013 the stored predictions are used, so that FER2013 need not be here.
        split: of the data set; by default its last one, which is PrivateTest for FER2013.
        by: what judges: the data set's `"label"`, or what most of FER+'s annotators say (`"plurality"`). Faces without
            one clear answer are left out.
        flip: average each face with its mirror image; not for probabilities.

    Raises:
        FerError: there is no such model or data set, or it has no predictions or no such faces.
        ValueError: the probabilities have another shape, or rows that do not sum to 1.

    Example:
        >>> import fer_core
        >>> result = fer_core.evaluate("compact_cnn", "fer2013", split="PrivateTest")
        >>> f"{result.metrics.loc['accuracy', 'value']:.1%} of {result.faces} faces"
        '69.0% of 3589 faces'
    """
    view = "flip" if flip else "plain"
    wanted = split_name(split or "PrivateTest") if dataset == FER2013 else dataset
    if isinstance(model, str) and isinstance(wanted, str) and (wanted in TEST_SPLITS or split is None):
        answers = _stored(model, wanted, view=view, by=by)
    else:
        answers = _answers(model, _faces(dataset, split), view=view, by=by)
    (name,) = answers.names
    measured = measure_models(answers)
    metrics, intervals = measured[name]
    ends = {key: intervals[key] if key in METRICS else Interval() for key in (*METRICS, "ece", "log_loss")}
    counts = confusion_matrix(answers.labels, answers.probabilities[name])
    return Evaluation(
        answers.where,
        len(answers.labels),
        pd.DataFrame({key: {"value": metrics[key], **vars(interval)} for key, interval in ends.items()}).T,
        f1_table(answers, measured).drop(columns=["name", "model"]).set_index("expression"),
        pd.DataFrame(counts, pd.Index(answers.classes, name="true"), pd.Index(answers.classes, name="predicted")),
    )


def _stored(model: str, split: str, *, view: str = "plain", by: str = "label") -> Predictions:
    """Return the kept predictions of a model for a test split of FER2013, or for a data set of one's own."""
    classes = EXPRESSIONS if split in TEST_SPLITS else find_dataset(split).classes
    answers, notes = load_predictions([load_model(model, classes=classes)], split, view, by)
    if answers is None:
        raise FerError(" ".join(notes) or f"The model {model} was not measured on {split}.")
    return answers


def _faces(dataset: str | FaceDataset, split: str | None) -> FaceDataset:
    if isinstance(dataset, str):
        dataset = load_fer2013() if dataset == FER2013 else load_dataset(dataset)
    return dataset.split(split or next(name for name in dataset.splits[::-1] if (dataset.usage == name).any()))


def _answers(model: Any, faces: FaceDataset, *, view: str, by: str) -> Predictions:
    """Return predictions for faces, which are all of one split."""
    check_yardstick(by)
    title = "predictions"
    if isinstance(model, str):
        title = model
        classifier = load_model(model, classes=faces.classes).classifier()
        values = classifier.predict(faces.images, flip=view == "flip").probabilities
    elif callable(model):
        values = np.asarray(model(faces.images))
        if view == "flip":
            values = (values + np.asarray(model(faces.images[:, :, ::-1]))) / 2
    else:
        values = model
    labels, probabilities = as_pair(faces.labels, values, "the probabilities")
    truth = labels if by == "label" else faces.plurality
    if not (truth >= 0).any():
        raise FerError("These faces have no votes of FER+'s annotators, so only their labels can judge: by='label'.")
    split, is_fer2013 = str(faces.usage[0]), faces.name == FaceDataset.name
    answers = Predictions(
        split=split if is_fer2013 else faces.name,
        own="" if is_fer2013 else f"{split} of {faces.name}",
        view=view,
        by=by,
        rows=faces.rows,
        labels=truth,
        given=labels,
        split_faces=len(labels),
        probabilities={title: probabilities},
        titles={title: title},
        classes=faces.classes,
    )
    return answers.of_faces(truth >= 0)


class Audit(NamedTuple):
    """The predictions of a model compared between groups of faces, as `audit` returns them.

    Attributes:
        about: the faces and the model.
        faces: number of faces.
        rates, gaps: tables of `fairness.groups.GroupAudit`; the column `by` is the division.
        error_tree: the kinds of faces with most errors, see `fairness.groups.error_tree`; None without true
            expressions, or with fewer than 200 faces.
        notes: sentences on what is left out.
    """

    about: str
    faces: int
    rates: pd.DataFrame
    gaps: pd.DataFrame
    error_tree: pd.DataFrame | None
    notes: tuple[str, ...]


@extras()
def audit(
    source: str | os.PathLike[str],
    model: str = DEFAULT_MODEL,
    *,
    by: str | Sequence[str] | None = None,
    whole_image: bool = False,
    minimum: int = MINIMUM,
) -> Audit:
    """Compare what a model predicts, and how often it is right, between groups of faces.

    Args:
        source: pictures with a table of groups: a folder, a zip, or a Parquet table with both, as for `fer-lab audit`;
            the name of a data set of your own; or `"PublicTest"` or `"PrivateTest"`, FER2013's test faces, by
            properties of the picture.
        model: name of a trained model.
        by: one or several divisions, such as `"gender"`, or two crossed, `"gender,age"`; all by default. Brightness,
            contrast, sharpness and head roll are measured.
        whole_image: each picture is one face crop already.
        minimum: faces that a rate needs to be compared.

    Raises:
        FerError: the pictures or the table cannot be used, or there is no such model or division.

    Example:
        >>> import fer_core
        >>> result = fer_core.audit("PrivateTest", "compact_cnn", by="brightness")
        >>> gap = result.gaps.set_index(["rate", "expression"]).loc[("accuracy", "all")]
        >>> bool(gap["low"] <= gap["gap"] <= gap["high"])
        True
    """
    path = usable_path(source)
    if source in TEST_SPLITS:
        faces = stored_faces(_stored(model, str(source)), model)
    elif not path.exists() and path.name in {dataset.name for dataset in list_datasets()}:
        faces = dataset_faces(load_model(model, classes=EXPRESSIONS), find_dataset(path.name))
    else:
        with open_grouped(path) as pictures:
            faces = picture_faces(pictures, load_model(model, classes=EXPRESSIONS), whole_image)
    divisions = faces.compare_all([by] if isinstance(by, str) else by, minimum)
    rates, gaps = (
        pd.concat([getattr(each, name).assign(by=each.by) for each in divisions], ignore_index=True)
        for name in ("rates", "gaps")
    )
    try:
        tree = faces.where_it_fails()
    except FerError:  # true expressions are unknown, or there are too few faces
        tree = None
    return Audit(f"{faces.model} on {faces.faces}", len(faces), rates, gaps, tree, faces.notes)
