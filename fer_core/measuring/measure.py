"""Measure a model on the test splits and, for what is chosen, on the hold-out; measure a stored model again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fer_core.classifier import Classifier
from fer_core.columns import PREDICTION_COLUMNS, PROBABILITIES, TEST_SPLITS, VIEWS, YARDSTICKS
from fer_core.data import FaceDataset, leaked_mask, training_and_holdout
from fer_core.data.holdout import LISTED
from fer_core.faces import add_noise, blur_faces
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.robustness import measure_degraded, robustness_faces
from fer_core.metrics.calibration import WANTED, lowest_threshold
from fer_core.metrics.confusion import plain
from fer_core.metrics.core import evaluate, measured
from fer_core.metrics.significance import PARTS, score_parts
from fer_core.models.spec import WEIGHTS
from fer_core.store.card import ELSEWHERE, ModelCard, Score
from fer_core.store.folders import load_model, update_model
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

_HOLDOUT_FACTS: Final = ("holdout_score", "not_sure")


def predict_splits(classifier: Classifier, dataset: FaceDataset) -> pd.DataFrame:
    """Classify both test splits in both views; the table is that of `tabulate_splits`."""
    return tabulate_splits(lambda faces: [view.probabilities for view in classifier.views(faces)], dataset)


def tabulate_splits(views: Callable[[NDArray[np.uint8]], Iterable[NDArray]], dataset: FaceDataset) -> pd.DataFrame:
    """Return the predictions of any classifier on the test splits in both views, columns `columns.PREDICTION_COLUMNS`.

    `views` takes faces `(n, 48, 48)` uint8 and returns probabilities `(n, 7)` of the faces, and the averages with those
    of their mirror images. They are stored as float32.
    """
    tables = []
    for split in (key for name, key in TEST_SPLITS.items() if (dataset.usage == name).any()):
        part = dataset.split(split)
        for view, probabilities in zip(VIEWS, views(part.images), strict=True):
            table = pd.DataFrame(probabilities.astype(np.float32), columns=PROBABILITIES)
            faces = {"row": part.rows, "label": part.labels, "plurality": part.plurality}
            tables.append(table.assign(split=split, view=view, **faces))
    return pd.concat(tables, ignore_index=True)[PREDICTION_COLUMNS]


def no_predictions() -> pd.DataFrame:
    """Return the table of `tabulate_splits` without rows, for a model stored without test splits."""
    return pd.DataFrame(columns=PREDICTION_COLUMNS)


def summarize(
    predictions: pd.DataFrame, tests: FaceDataset, training: FaceDataset
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the metrics of the table of `tabulate_splits` by split and view, as a model card has them.

    Returns:
        `{split: {view: {"accuracy": …, "accuracy_interval": [low, high], "macro_f1": …, …}}}` by FER2013's label, with
        95 % intervals, and `accuracy_without_leaked` over the `n_without_leaked` faces whose pixels do not occur in
        `training`, on which the model may have been trained. `by` has the same metrics for each of
        `columns.YARDSTICKS`; that of the annotators is missing if no face has votes. Splits and views without
        predictions are missing.
    """
    result: dict[str, dict[str, dict[str, Any]]] = {}
    for names, table in predictions.groupby(["split", "view"], sort=False):
        split, view = map(str, names)
        clean = ~leaked_mask(tests.split(split), training)
        probabilities = table[PROBABILITIES].to_numpy(np.float64)
        truth = {name: table[name].to_numpy() for name in YARDSTICKS}
        by = {name: scores(labels, probabilities) for name, labels in truth.items() if (labels >= 0).any()}
        leakless = evaluate(truth["label"][clean], probabilities[clean])
        result.setdefault(split, {})[view] = {
            **by["label"],
            "accuracy_without_leaked": plain(leakless.accuracy),
            "n_without_leaked": leakless.n,
            "by": by,
        }
    return result


def scores(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], classes: tuple[str, ...] = EXPRESSIONS
) -> dict[str, Any]:
    """Return metrics, intervals and rates of each class over the faces with an answer, where `labels` is not -1."""
    judged = labels >= 0
    metrics, intervals = measured(labels[judged], probabilities[judged])
    return dict(Score.of(metrics, intervals).values, per_class=metrics.per_class.as_dict(classes))


def degraded_copies(faces: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """Return the faces `(n, 48, 48)` unchanged (`clean`), with noise (standard deviation in gray levels) and with blur
    (standard deviation in pixels)."""
    return {
        "clean": faces,
        **{f"noise_{level}": add_noise(faces, level) for level in (13, 26)},
        **{f"blur_{width}": blur_faces(faces, width) for width in (1, 2)},
    }


def holdout_facts(
    predict: Callable[[NDArray[np.uint8]], NDArray[np.floating]], holdout: FaceDataset
) -> dict[str, dict[str, Any]]:
    """Return what is chosen by on the hold-out, faces with votes, as the card of a served model has it.

    Returns:
        `holdout_score`: of `score_copies`. `not_sure`: the fields of `metrics.calibration.Threshold` and the rule, from
        the faces on which the annotators have one clear answer; empty if there is no such confidence.
    """
    answers = {name: predict(faces) for name, faces in degraded_copies(holdout.images).items()}
    score, judged = score_copies(answers, holdout), holdout.plurality >= 0
    threshold = lowest_threshold(holdout.plurality[judged], answers["clean"][judged])
    rule = f"the lowest whole percent from which on at least {WANTED:.0%} of the answers are what most annotators say"
    return {"holdout_score": score, "not_sure": {**asdict(threshold), "rule": rule} if threshold else {}}


def score_copies(answers: dict[str, NDArray[np.floating]], holdout: FaceDataset) -> dict[str, float]:
    """Return the score by which the default model is chosen, from the answers `(n, 7)` to each of `degraded_copies`.

    Returns:
        The accuracies `label` (by FER2013's label) and `plurality` (by what most annotators say, over the faces with
        one clear answer), `recall` (by the same, averaged over the expressions), these three with `_degraded` at the
        end (the same on the degraded copies, averaged), the mean of all six, `score`, and the number of `faces`. The
        recall is there because rare expressions, such as disgust and fear, are missed most often, and people who pose
        in front of a camera show them more often than the pictures of FER2013 do.
    """
    if not (holdout.plurality >= 0).any():
        raise FerError("The score on the hold-out needs FER+'s votes, and these faces have none.")
    parts = score_parts(answers, holdout.labels, holdout.plurality, np.ones((1, len(holdout))))
    means = {name: float(parts[name][0]) for part in PARTS for name in (part, f"{part}_degraded")}
    return means | {"score": float(np.mean(list(means.values()))), "faces": len(holdout)}


@dataclass(frozen=True, eq=False)
class Measurements:
    """What was measured of a stored model: the results of `summarize`, `tabulate_splits`, `measure_degraded` and
    `holdout_facts`, whether earlier ones must go because the hold-out is not new to the model, and a sentence for each
    thing that was not measured."""

    metrics: dict[str, dict[str, dict[str, Any]]]
    predictions: pd.DataFrame
    degraded: pd.DataFrame | None = None
    holdout: dict[str, dict[str, Any]] = field(default_factory=dict)
    forget_holdout: bool = False
    notes: tuple[str, ...] = ()


def measure_again(
    model: StoredModel, dataset: FaceDataset, degraded: bool = False, holdout: bool = False
) -> Measurements:
    """Measure the served file on FER2013; for a model without one, compute the metrics from its stored predictions.

    If FER2013 is here without votes, what most annotators say is taken from the stored predictions of the same faces.
    On request, measure on degraded faces as well, and `holdout_facts` if the model has not seen the hold-out. What
    cannot be measured is a FerError.
    """
    if _chose_on_privatetest(model.card):
        dataset = dataset.subset(dataset.usage != "PrivateTest")
    training = dataset.split("training")
    if not model.servable:
        if model.card.data_fingerprint != dataset.fingerprint:
            raise FerError("it is not served, and its stored predictions are of other data.")
        notes = [f"{model.name} is not served: the metrics are computed from its stored predictions."]
        if degraded:
            notes.append(f"{model.name} is not served, so it cannot be measured on degraded faces.")
        predictions = _with_plurality(model.all_predictions(), dataset)
        return Measurements(summarize(predictions, dataset, training), predictions, notes=tuple(notes))
    classifier, notes = model.classifier(), []
    predictions = predict_splits(classifier, dataset)
    stored = _stored_plurality(model, predictions) if dataset.votes is None else None
    if stored is not None:
        notes.append(f"FER+'s votes are not here: what most annotators say is read from {model.name}'s predictions.")
        predictions["plurality"] = _plurality_of(predictions["row"], predictions["label"], stored)
    table = None
    if degraded:
        faces = robustness_faces(dataset)
        plurality = None if stored is None else _plurality_of(faces.rows, faces.labels, stored)
        table = measure_degraded(classifier, faces, plurality)
    facts: dict[str, dict[str, Any]] = {}
    forget = False
    held_out = training_and_holdout(dataset)[1]
    if holdout and (held_out.plurality < 0).all():
        notes.append(f"{model.name} is not scored on the hold-out: this needs FER+'s votes.")
    elif holdout and (why := not_new(model.card, dataset)):
        forget = True
        notes.append(f"{model.name} is not scored on the hold-out: {why}")
    elif holdout:
        facts = holdout_facts(lambda faces: classifier.predict(faces).probabilities, held_out)
    return Measurements(summarize(predictions, dataset, training), predictions, table, facts, forget, tuple(notes))


def save_measurements(model: StoredModel, measured: Measurements) -> None:
    """Write measurements to the model's folder; raise a FerError if that is not possible."""
    card = replace(model.card, metrics=measured.metrics)
    if measured.holdout or measured.forget_holdout:
        others = {name: fact for name, fact in (card.served or {}).items() if name not in _HOLDOUT_FACTS}
        card = replace(card, served={**others, **measured.holdout})
    update_model(model, card, predictions=measured.predictions, degraded=measured.degraded)


def not_new(card: ModelCard, dataset: FaceDataset) -> str:
    """Return why the hold-out of FER2013 may not be new to a model, the end of a sentence; empty if it is new.

    A model was trained without the listed faces, or before the list, without a larger part that has them.
    """
    known = card.training.get("holdout") == LISTED
    if "holdout" not in card.training:
        in_order = np.array_equal(dataset.rows, np.arange(len(dataset)))
        known = in_order and card.data_fingerprint == dataset.fingerprint
    if not known:
        return "it may have been trained on a part of it."
    return not_new_by_others(card.learned_from)


def not_new_by_others(learned_from: Sequence[str]) -> str:
    """Return the same as `not_new` by the models that a model learned from, see `ModelCard.learned_from`.

    Those that these learned from count as well. They are known as far as they are stored. Models of before the list
    held out its faces, so they do not count.
    """
    for name, card in _forebears(learned_from):
        rule = card.training.get("holdout", LISTED)
        if rule != LISTED:
            return f"it learned from {name}, whose own hold-out is another ({rule}), so {name} may have learned it."
    return ""


def privatetest_note(model: StoredModel) -> str:
    """Return a sentence if a model, or one that it learned from, was chosen on PrivateTest; empty if none was."""
    family = [(model.name, model.card), *_forebears(model.card.learned_from)]
    chosen = [name for name, card in family if _chose_on_privatetest(card)]
    if not chosen:
        return ""
    what = "it" if chosen[0] == model.name else f"{chosen[0]}, from which it learned,"
    return f"PrivateTest is no test of {model.name}: {what} was validated on it, as in the paper."


def _chose_on_privatetest(card: ModelCard) -> bool:
    return str(card.training.get("holdout", "")).startswith("PrivateTest")


def _forebears(learned_from: Sequence[str]) -> Iterator[tuple[str, ModelCard]]:
    """Yield name and card of each stored model that a model learned from, directly or through others, once."""
    waiting, seen = [*learned_from], {*WEIGHTS, ELSEWHERE, "none"}
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        try:
            card = load_model(name).card
        except FerError:  # it was deleted or is damaged
            continue
        yield name, card
        waiting += card.learned_from


def _stored_plurality(model: StoredModel, predictions: pd.DataFrame) -> pd.DataFrame | None:
    """Return `label` and `plurality` of the stored predictions, by row; None if there are none of the same faces."""
    try:
        stored = model.all_predictions()
    except FerError:
        return None
    stored = stored[stored["row"] >= 0].drop_duplicates("row").set_index("row")[["label", "plurality"]]
    same = stored["label"].reindex(predictions["row"]).to_numpy() == predictions["label"].to_numpy()
    return stored if (stored["plurality"] >= 0).any() and same.mean() >= 0.95 else None


def _plurality_of(rows: ArrayLike, labels: ArrayLike, stored: pd.DataFrame) -> NDArray[np.int64]:
    """Return the stored plurality of faces, `(n,)`; -1 for a face that is not there or has another label there."""
    known = stored.reindex(np.asarray(rows))
    return np.where(known["label"] == np.asarray(labels), known["plurality"].fillna(-1), -1).astype(np.int64)


def _with_plurality(predictions: pd.DataFrame, dataset: FaceDataset) -> pd.DataFrame:
    """Return predictions, in the order of the dataset, with what most annotators say; without votes, as they are."""
    if dataset.votes is not None:
        tables = predictions.groupby(["split", "view"], sort=False)
        predictions = pd.concat(
            [table.assign(plurality=dataset.split(str(split)).plurality) for (split, _), table in tables],
            ignore_index=True,
        )
    return predictions[PREDICTION_COLUMNS]
