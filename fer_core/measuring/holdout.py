"""What is chosen on the hold-out: the default model by its score, and each model's threshold of "not sure"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_core.data import FaceDataset
from fer_core.faces import add_noise, blur_faces
from fer_core.metrics.calibration import WANTED, lowest_threshold
from fer_core.metrics.confusion import accuracy_of, class_rates, confusion_matrix, mean_defined
from fer_core.types import FerError

NOISE: Final = (13, 26)

BLUR: Final = (1, 2)

RULE: Final = (
    f"the lowest whole percent from which on at least {WANTED:.0%} of the answers are what most annotators say"
)
"""By which `not_sure` chooses."""

Predict = Callable[[NDArray[np.uint8]], NDArray[np.floating]]


def degraded_copies(faces: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """Return the faces `(n, 48, 48)` unchanged (`clean`), with noise and with blur.

    The standard deviations are 13 and 26 gray levels for the noise, and 1 and 2 pixels for the blur.
    """
    return {
        "clean": faces,
        **{f"noise_{level}": add_noise(faces, level) for level in NOISE},
        **{f"blur_{width}": blur_faces(faces, width) for width in BLUR},
    }


def holdout_facts(predict: Predict, holdout: FaceDataset) -> dict[str, dict[str, Any]]:
    """Return `holdout_score` and `not_sure` by these names, as the card of a served model has them."""
    return {"holdout_score": holdout_score(predict, holdout), "not_sure": not_sure(predict, holdout)}


def holdout_score(predict: Predict, holdout: FaceDataset) -> dict[str, float]:
    """Return what the default model is chosen by.

    Args:
        predict: takes faces `(n, 48, 48)` uint8 and returns probabilities `(n, 7)`.
        holdout: faces with votes.

    Returns:
        The accuracies `label` (by FER2013's label) and `plurality` (by what most annotators say, over the faces with
        one clear answer), `recall` (by the same, averaged over the expressions), these three with `_degraded` at the
        end (the same on `degraded_copies`, averaged), the mean of all six, `score`, and the number of `faces`. The
        recall is there because rare expressions, such as disgust and fear, are missed most often, and people who pose
        in front of a camera show them more often than the pictures of FER2013 do.

    Raises:
        FerError: no face has votes.
    """
    return score_copies({name: predict(faces) for name, faces in degraded_copies(holdout.images).items()}, holdout)


def not_sure(predict: Predict, holdout: FaceDataset) -> dict[str, Any]:
    """Return the confidence below which a model says that it is not sure.

    It is the lowest one from which on enough answers are what most annotators say, see `lowest_threshold`. Faces on
    which the annotators have no clear answer do not count.

    Args:
        predict: as for `holdout_score`.
        holdout: faces with votes.

    Returns:
        The fields of `metrics.calibration.Threshold` and the rule, as a card has them; empty if there is no such
        confidence.
    """
    judged = holdout.plurality >= 0
    threshold = lowest_threshold(holdout.plurality[judged], predict(holdout.images[judged])) if judged.any() else None
    return {**asdict(threshold), "rule": RULE} if threshold else {}


def score_copies(answers: dict[str, NDArray[np.floating]], holdout: FaceDataset) -> dict[str, float]:
    """Return `holdout_score` of the answers to each of `degraded_copies`, `(n, 7)`."""
    judged = holdout.plurality >= 0
    if not judged.any():
        raise FerError("The score on the hold-out needs FER+'s votes, and these faces have none.")
    parts: dict[str, dict[str, float]] = {"label": {}, "plurality": {}, "recall": {}}
    for name, given in answers.items():
        by_plurality = confusion_matrix(holdout.plurality[judged], given[judged])
        parts["label"][name] = float(accuracy_of(confusion_matrix(holdout.labels, given)))
        parts["plurality"][name] = float(accuracy_of(by_plurality))
        parts["recall"][name] = float(mean_defined(class_rates(by_plurality).recall))
    means: dict[str, float] = {}
    for part, values in parts.items():
        means[part] = values.pop("clean")
        means[f"{part}_degraded"] = float(np.mean(list(values.values())))
    return means | {"score": float(np.mean(list(means.values()))), "faces": len(holdout)}
