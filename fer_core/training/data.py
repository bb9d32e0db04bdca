"""The faces that a model is trained, validated and tested on, and the card that says so. Nothing here imports Keras."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data import FaceDataset, holdout_rule, training_and_holdout
from fer_core.data.holdout import DRAWN
from fer_core.faces import preprocess_faces
from fer_core.measuring.measure import summarize
from fer_core.models import ModelSpec
from fer_core.store.card import ModelCard
from fer_core.types import FerError

PAPERS_RULE: Final = "PrivateTest, the paper's validation split"
"""The rule of a hold-out as in the paper (section 3.1): such a model is tested on PublicTest alone."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The parts of the data for one training; a `FerError` is raised on creation if one of the first two is empty.

    Attributes:
        training: faces to fit on.
        holdout: faces for validation and for every choice.
        tests: FER2013's PublicTest and PrivateTest, used once, at the end; None if they are not available. With the
            paper's split, PublicTest alone.
        unlabelled: `(n, 48, 48)` more faces to fit on, which teachers answer; None for none.
        name: what the model learns from, in words, for its card.
        dataset_fingerprint: of the whole dataset, if the parts make up one.
        holdout_rule: how the hold-out was chosen, in words, for the card.
        scored: faces for the score that recommends a model, if they are more than the hold-out.
    """

    training: FaceDataset
    holdout: FaceDataset
    tests: FaceDataset | None = None
    name: str = "FER2013 Training without the hold-out"
    dataset_fingerprint: str | None = None
    holdout_rule: str = DRAWN
    unlabelled: NDArray[np.uint8] | None = None
    scored: FaceDataset | None = None

    def __post_init__(self) -> None:
        if len(self.training) == 0 or len(self.holdout) == 0:
            raise FerError(
                f"Expected at least one face for training and one for validation. Received: {len(self.training)} and "
                f"{len(self.holdout)}"
            )

    @classmethod
    def of(cls, dataset: FaceDataset, *, papers_split: bool = False) -> TrainingData:
        """Divide FER2013: fixed faces of Training are the hold-out, and both test splits are for measuring.

        With the paper's split, all of Training is learned, PrivateTest is the hold-out, and PublicTest is for
        measuring.

        Raises:
            FerError: the Training split is missing or too small, or one test split is missing.
        """
        if papers_split:
            learned, chosen_on, measured_on = map(dataset.split, ("training", "private_test", "public_test"))
            return cls(learned, chosen_on, measured_on, name="FER2013 Training", holdout_rule=PAPERS_RULE)
        training, holdout = training_and_holdout(dataset)
        rule = holdout_rule(dataset.split("training"))
        splits = set(np.unique(dataset.usage)) - {"Training"}
        if len(splits) == 1:
            given = splits.pop()
            raise FerError(
                f"Expected both test splits of FER2013, PublicTest and PrivateTest, or neither. Received: {given}"
            )
        tests = dataset.subset(dataset.usage != "Training") if splits else None
        return cls(training, holdout, tests, dataset_fingerprint=dataset.fingerprint, holdout_rule=rule)

    @property
    def papers_split(self) -> bool:
        """Whether the data are divided as in the paper."""
        return self.holdout_rule == PAPERS_RULE

    @cached_property
    def seen(self) -> FaceDataset:
        """All faces that are used in training; copies of test faces among them are counted."""
        both: dict[str, Any] = {
            name: np.concatenate([getattr(self.training, name), getattr(self.holdout, name)])
            for name in ("images", "labels", "usage", "rows")
        }
        return replace(self.training, **both, votes=None)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all parts, 32 hexadecimal digits."""
        if self.dataset_fingerprint:
            return self.dataset_fingerprint
        parts = [self.training, self.holdout, *([self.tests] if self.tests is not None else [])]
        return hashlib.sha256("".join(part.fingerprint for part in parts).encode()).hexdigest()[:32]

    def prepared(self, preprocessing: str) -> TrainingData:
        """Return the same parts with every face preprocessed, as in `fer_core.faces.prepare_faces`."""
        if preprocessing == "none":
            return self
        more = None if self.unlabelled is None else preprocess_faces(self.unlabelled, preprocessing)
        training, holdout = (
            replace(part, images=preprocess_faces(part.images, preprocessing)) for part in (self.training, self.holdout)
        )
        # tests stay as they are: the classifier that measures them applies the preprocessing itself
        return replace(self, training=training, holdout=holdout, unlabelled=more, dataset_fingerprint=None)


def make_card(
    spec: ModelSpec,
    data: TrainingData,
    *,
    recipe: dict[str, Any],
    parameters: int,
    fitted: dict[str, Any],
    facts: dict[str, Any],
    served: dict[str, Any] | None,
    predictions: pd.DataFrame,
    measured: str,
) -> ModelCard:
    """Make the card of a model from what it was fitted and measured on.

    Args:
        fitted: `epochs` (None if it was not fitted in epochs), `seed` and `seconds` of the fit, `backend` and versions.
        facts: what else to say of the training.
        served: how the served file was made; None for a model that is kept for comparison only.
        predictions: for both test splits; empty if `data` has no test splits.
        measured: what the metrics were measured on, in words.
        recipe, parameters: as on the card.
    """
    training = {
        "data": data.name,
        "faces": len(data.training),
        **({} if data.unlabelled is None else {"unlabelled_faces": len(data.unlabelled)}),
        "holdout_faces": len(data.holdout),
        "holdout": data.holdout_rule,
        **fitted,
        "seconds": round(fitted["seconds"]),
        "device": device(),
        "commit": _commit(),
        **facts,
    }
    return ModelCard(
        name=spec.name,
        title=spec.title,
        spec=spec,
        recipe=recipe,
        parameters=parameters,
        weights_from=spec.weights_from,
        input_size=spec.input_size,
        training=training,
        served=served,
        trained=spec.trained,
        data_fingerprint=data.fingerprint,
        metrics={} if data.tests is None else summarize(predictions, data.tests, data.seen),
        measured=f"{measured}, when the model was stored",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def device() -> str:
    """Return the processor's name, as far as the system tells it, and the number of cores."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        processor = platform.processor() or platform.machine()
    else:
        names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
        processor = next(names, platform.machine())
    return f"{processor}, {os.cpu_count()} cores"


def _commit() -> str | None:
    """Return the commit of this code if it is a git checkout."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
