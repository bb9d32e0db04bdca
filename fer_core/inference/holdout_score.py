"""One number by which models are chosen on the hold-out: right by both yardsticks, on clean and on degraded faces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_core.data import FerDataset
from fer_core.evaluation import evaluate
from fer_core.faces import add_noise, blur_faces
from fer_core.types import FerError

NOISE: Final = (13, 26)
BLUR: Final = (1, 2)

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


def holdout_score(predict: Predict, holdout: FerDataset) -> dict[str, float]:
    """Return what the default model is chosen by.

    Args:
        predict: takes faces `(n, 48, 48)` uint8 and returns probabilities `(n, 7)`.
        holdout: faces with votes.

    Returns:
        The accuracies `label` (by FER2013's label), `plurality` (by what most annotators say, over the faces with one
        clear answer), `label_degraded` and `plurality_degraded` (the same on `degraded_copies`, averaged), and the mean
        of these four, `score`.

    Raises:
        FerError: no face has votes.
    """
    return score_copies({name: predict(faces) for name, faces in degraded_copies(holdout.images).items()}, holdout)


def score_copies(answers: dict[str, NDArray[np.floating]], holdout: FerDataset) -> dict[str, float]:
    """Return `holdout_score` of the answers to each of `degraded_copies`, `(n, 7)`."""
    wanted = {"label": holdout.labels, "plurality": holdout.plurality}
    if (wanted["plurality"] < 0).all():
        raise FerError("The score on the hold-out needs FER+'s votes, and these faces have none.")
    means: dict[str, float] = {}
    for by, truth in wanted.items():
        judged = truth >= 0
        found = {name: evaluate(truth[judged], given[judged]).accuracy for name, given in answers.items()}
        means[by] = found.pop("clean")
        means[f"{by}_degraded"] = float(np.mean(list(found.values())))
    return means | {"score": float(np.mean(list(means.values())))}
