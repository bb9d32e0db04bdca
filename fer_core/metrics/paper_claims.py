"""The paper's conclusions, judged by our stored predictions: the difference that each claims, and ours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.metrics.intervals import Interval, percentile_interval, resample_weights
from fer_core.metrics.paper import CLAIMS, OTHER_WEIGHTS, PAPER_VARIANTS, reported
from fer_core.metrics.predictions import Predictions
from fer_core.models import model_spec

CLAIMS_CAPTION: Final = (
    "Differences in accuracy on PublicTest in points, with 95 % intervals (bootstrap over the test faces, and over the "
    "trainings where there are several). A claim agrees or differs if its intervals are on one side of 0."
)

TRIALS_FILE: Final = Path(__file__).with_name("paper_trials.csv")
"""Predictions of PublicTest, a digit for each face, of small trainings: see `fer_core.runs.paper_trials`."""

TRIALS: Final[dict[str, tuple[str, int | None, list[str]]]] = {
    "order": (
        "Batch norm and noise, in which order?",
        3000,
        [
            "mobilenetv2_frozen_noise",
            *(f"mobilenetv2_frozen_noise_{at}" for at in ("poolnorm", "normfirst", "noisefirst")),
        ],
    ),
    "preprocessing": (
        "Does preprocessing help?",
        None,
        ["mobilenetv2_frozen", *(f"mobilenetv2_frozen_{kind}" for kind in ("face", "aligned", "equalize", "clahe"))],
    ),
}
"""By key: a question, the number of training faces (None for all), and the models, the first to compare with."""

UNKNOWN: Final = "cannot be told"


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


def read_trials() -> pd.DataFrame:
    """Return `name`, `seed`, `faces` and `predicted`, a text of one digit for each face, of each small training."""
    return pd.read_csv(TRIALS_FILE, dtype={"predicted": str})


def trials_table(predictions: Predictions) -> pd.DataFrame:
    """Compare the small trainings of each question, from predictions of PublicTest, whose labels they are judged by.

    Returns:
        For each model that was trained `question`, `title`, `seeds`, `faces`, the mean `accuracy`, and its `difference`
        from the first model of the question with the ends of a 95 % interval, `low` and `high`; NaN for the first.
    """
    labels, stored, rows = predictions.labels[np.argsort(predictions.rows)], read_trials(), []
    answers = [np.frombuffer(text.encode(), np.uint8) - ord("0") for text in stored["predicted"]]
    for question, _, names in TRIALS.values():
        right = {
            name: np.stack([answers[place] for place in np.flatnonzero(stored["name"] == name)]) == labels
            for name in names
            if (stored["name"] == name).any()
        }
        for name in right if names[0] in right else ():
            difference, ends = mean_difference(right[name], right[names[0]])
            compared = (difference, ends.low, ends.high) if name != names[0] else (np.nan, np.nan, np.nan)
            faces = stored.loc[stored["name"] == name, "faces"].iloc[0]
            what = (question, model_spec(name).title, len(right[name]), faces, right[name].mean())
            rows.append((*what, *compared))
    return pd.DataFrame(rows, columns=["question", "title", "seeds", "faces", "accuracy", "difference", "low", "high"])


def trials_in_prose(trials: pd.DataFrame) -> list[str]:
    """Return what `trials_table` shows of each question, a sentence of Markdown each."""
    sentences = []
    for question, part in trials.groupby("question", sort=False):
        words = [
            f"{row['title']} {_points(row['difference'])} points ({_points(row['low'])} to {_points(row['high'])}), "
            + (
                "better"
                if row["low"] > 0
                else "worse"
                if row["high"] < 0
                else "which cannot be told from no difference"
            )
            for row in part.iloc[1:].to_dict("records")
        ]
        first = part.iloc[0]
        sentences.append(f"**{question}** Against {first['title']} ({first['accuracy']:.1%}): {'; '.join(words)}.")
    return sentences


def in_prose(claims: pd.DataFrame) -> list[str]:
    """Return each row of `paper_claims` as a few sentences of Markdown, with question and verdict in bold."""
    return [
        f"**{row['question']} {str(row['verdict']).capitalize()}.** The paper: “{row['claim']}” ({row['where']}), "
        f"{row['paper']}. Here: {row['ours']}. {row['why']}".strip()
        for row in claims.to_dict("records")
    ]


def _judged(claim: dict[str, Any], predictions: Predictions | None) -> dict[str, str]:
    first, others = claim["first"], claim["others"]
    steps = [reported(first)[0].accuracy - reported(other)[0].accuracy for other in others]
    printed = [(step, _points(step)) for step in steps]
    ours, ends, starts, fewest = [], [], set(), 99
    for other in others:
        if predictions and (pair := _same_start(first, other, predictions)):
            ending, sides = pair
            difference, interval = mean_difference(*sides)
            ours.append((difference, f"{_points(difference)} ({_points(interval.low)} to {_points(interval.high)})"))
            ends.append(interval)
            starts.add(OTHER_WEIGHTS.get(ending, "ImageNet weights"))
            fewest = min(fewest, *map(len, sides))
        else:
            ours.append((np.inf, "–"))
    why = []
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
        "paper": _against(others, printed),
        "ours": f"{_against(others, ours)}; n = {len(predictions.labels):,}" if ends and predictions else "not trained",
        "verdict": judged,
        "why": " ".join(why),
    }


def _same_start(
    first: str, other: str, predictions: Predictions
) -> tuple[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]] | None:
    """Return the ending of the weights from which both models are stored, and which faces each seed has right."""
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


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def _against(others: list[str], differences: list[tuple[float, str]]) -> str:
    """Return differences in points as text, each with the model that it refers to; of more than three, the lowest."""
    pairs = list(zip(differences, others, strict=True))
    shown = pairs if len(pairs) < 4 else sorted(pairs)[:2]
    parts = [f"{text} against {PAPER_VARIANTS[other]}" for (_, text), other in shown]
    parts += [f"more against the other {len(pairs) - len(shown)}"] * (len(pairs) > len(shown))
    return "; ".join(parts).replace(" against", " points against", 1)
