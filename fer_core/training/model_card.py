"""Make the card of a trained model. Nothing here imports Keras."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from fer_core.measuring.measure import summarize
from fer_core.models import ModelSpec
from fer_core.store.card import ModelCard
from fer_core.training.data import TrainingData


def make_card(
    spec: ModelSpec,
    data: TrainingData,
    *,
    recipe: dict[str, Any],
    parameters: int,
    training: dict[str, Any],
    served: dict[str, Any] | None,
    predictions: pd.DataFrame,
    measured: str,
) -> ModelCard:
    """Make the card for `fer_core.store.folders.save_model`.

    Args:
        spec: what the model is.
        data: what it was fitted and measured on.
        recipe: how it was fitted, in plain JSON types.
        parameters: number of parameters.
        training: the result of `training_facts`.
        served: how the served file was made; None for a model that is kept for comparison only.
        predictions: for both test splits, see `fer_core.measuring.measure`; empty if `data` has no test splits.
        measured: what the metrics were measured on, in words.
    """
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


def training_facts(
    data: TrainingData, *, epochs: int | None, seed: int, seconds: float, libraries: dict[str, str]
) -> dict[str, Any]:
    """Collect where and on what a model was fitted, for its card.

    Args:
        data: what it was fitted on.
        epochs: passes over the training part; None if it was not fitted in epochs.
        seed: of the fit.
        seconds: duration of the fit.
        libraries: `backend` and versions.
    """
    return {
        "data": data.name,
        "faces": len(data.training),
        **({} if data.unlabelled is None else {"unlabelled_faces": len(data.unlabelled)}),
        "holdout_faces": len(data.holdout),
        "holdout": data.holdout_rule,
        "epochs": epochs,
        "seed": seed,
        "seconds": round(seconds),
        "device": device(),
        **libraries,
        "commit": _commit(),
    }


def device() -> str:
    """Return the processor's name, as far as the system tells it, and the number of cores."""
    return f"{_processor()}, {os.cpu_count()} cores"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str | None:
    """Return the commit of this code if it is a git checkout."""
    folder = Path(__file__).resolve().parent
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=folder, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
