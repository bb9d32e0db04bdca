"""The paper's conclusions, judged by our stored predictions: the difference that each claims, and ours."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.metrics.intervals import Interval, percentile_interval, resample_weights
from fer_core.metrics.paper import CLAIMS, OTHER_WEIGHTS, reported
from fer_core.metrics.predictions import Predictions
from fer_core.models import model_spec

CLAIMS_CAPTION: Final = (
    "Differences in accuracy on PublicTest in points, with 95 % intervals (bootstrap over the test faces, and over the "
    "trainings where there are several). A claim agrees or differs if its intervals are on one side of 0."
)

UNKNOWN, NOT_TRAINED = "cannot be told", "not trained"


def mean_difference(
    first: NDArray[np.bool_], second: NDArray[np.bool_], *, n_resamples: int = 1000, seed: int = 0
) -> tuple[float, Interval]:
    """Return the difference of two mean accuracies with its 95 % interval (bootstrap, paired by face).

    Args:
        first, second: `(seeds, n)` which of the same n faces each training of a model predicts correctly. Faces are
            drawn with replacement, and so are the trainings; a single training adds nothing to the interval, which
            then covers only which faces were drawn.
    """
    random, drawn = np.random.default_rng(seed), []
    weights = np.concatenate(list(resample_weights(first.shape[1], n_resamples, seed)))
    for side in (first, second):
        accuracies = weights @ side.T.astype(np.float32) / side.shape[1]  # (resamples, seeds)
        chosen = random.integers(0, len(side), (n_resamples, len(side)))
        drawn.append(np.take_along_axis(accuracies, chosen, axis=1).mean(axis=1))
    return float(first.mean() - second.mean()), percentile_interval(drawn[0] - drawn[1])


def verdict(differences: list[Interval], *, higher: bool) -> str:
    """Judge a claim by the intervals of the differences to which it refers.

    A claim of `higher` accuracy agrees if all intervals are above 0, and differs if one is below 0; for a claim that
    there is no gain it is the other way round. Otherwise it cannot be told.
    """
    signs = [(ends.low > 0) - (ends.high < 0) for ends in differences]
    wanted = 1 if higher else -1
    if -wanted in signs:
        return "differs"
    return "agrees" if signs and set(signs) == {wanted} else UNKNOWN


def paper_claims(predictions: Predictions | None) -> pd.DataFrame:
    """Judge each of the paper's conclusions by predictions of PublicTest.

    Models are compared only with models that start from the same weights: the paper's where both are stored, else
    those of `OTHER_WEIGHTS`. All stored seeds of a model count.

    Returns:
        Texts: `question`, `claim` as printed and `where`, the differences in the `paper` and in `ours`, with intervals,
        the `verdict`, and `why` it is limited.
    """
    return pd.DataFrame([_judged(claim, predictions) for claim in CLAIMS])


def in_prose(claims: pd.DataFrame) -> list[str]:
    """Return each row of `paper_claims` as a few sentences of Markdown, with question and verdict in bold."""
    return [
        f"**{row['question']} {str(row['verdict']).capitalize()}.** The paper: “{row['claim']}” ({row['where']})"
        f"{', ' * bool(row['paper'])}{row['paper']}. Here: {row['ours']}. {row['why']}".strip()
        for row in claims.to_dict("records")
    ]


def _judged(claim: dict[str, Any], predictions: Predictions | None) -> dict[str, str]:
    first, others = claim["first"], claim["others"]
    printed = [
        (step := reported(first)[0].accuracy - reported(other)[0].accuracy, points(step))
        for other in others
        if reported(first)
    ]
    ours, ends, starts, fewest = [], [], set(), 99
    for other in others:
        if predictions and (pair := same_start(first, other, predictions)):
            ending, sides = pair
            difference, interval = mean_difference(*sides)
            ours.append((difference, f"{points(difference)} ({points(interval.low)} to {points(interval.high)})"))
            ends.append(interval)
            starts.add(OTHER_WEIGHTS.get(ending, "ImageNet weights"))
            fewest = min(fewest, *map(len, sides))
        else:
            ours.append((np.inf, "–"))
    why = [claim["note"]] if "note" in claim else []
    if len(ends) < len(others):
        why.append("Not all of these models are trained here from the same weights.")
    if others_start := starts - {"ImageNet weights"}:
        why.append(f"Here, the models start from {' or '.join(sorted(others_start))}, the paper’s from ImageNet’s.")
    if ends and fewest == 1:
        why.append("One seed each: the intervals cover the test faces, not another training.")
    enough = len(ends) == len(others) and fewest >= claim.get("seeds", 1)
    judged = verdict(ends, higher=claim["higher"]) if enough else UNKNOWN
    if ends and fewest < claim.get("seeds", 1):
        why.append(f"So small a difference needs {claim['seeds']} seeds.")
    elif judged == UNKNOWN and len(ends) == len(others):
        why.append("An interval includes 0.")
    return {
        **{name: claim[name] for name in ("question", "claim", "where")},
        "paper": _against(others, printed) if printed else "",
        "ours": f"{_against(others, ours)}; n = {len(predictions.labels):,}" if ends and predictions else NOT_TRAINED,
        "verdict": judged,
        "why": " ".join(why),
    }


def same_start(
    first: str, other: str, predictions: Predictions
) -> tuple[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]] | None:
    """Return from which weights both models are stored, "" or of `OTHER_WEIGHTS`, and what each seed has right."""
    for ending in ("", *OTHER_WEIGHTS):
        names = [_seeds(f"{name}{ending}", predictions) for name in (first, other)]
        if all(names):
            right = [
                np.stack([predictions.probabilities[name].argmax(axis=1) == predictions.labels for name in seeds])
                for seeds in names
            ]
            return ending, (right[0], right[1])
    return None


def _seeds(name: str, predictions: Predictions) -> list[str]:
    return [stored for stored in predictions.names if re.fullmatch(rf"{name}(_seed\d+)?", stored)]


def points(share: float) -> str:
    """Return a difference of shares as points with a sign: 0.0123 is "+1.2"."""
    return f"{100 * share:+.1f}".replace("-", "−")


def _against(others: list[str], differences: list[tuple[float, str]]) -> str:
    """Return differences in points as text, each with the model that it refers to; of more than three, the lowest."""
    pairs = list(zip(differences, others, strict=True))
    shown = pairs if len(pairs) < 4 else sorted(pairs)[:2]
    parts = [f"{text} against {model_spec(other.removesuffix('_small')).title}" for (_, text), other in shown]
    parts += [f"more against the other {len(pairs) - len(shown)}"] * (len(pairs) > len(shown))
    return "; ".join(parts).replace(" against", " points against", 1)
