"""The card of a trained model: what it is, how it was made, what was measured. Needs no Keras."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from fer_core.card import ModelCard
from fer_core.inference.measure import summarize
from fer_core.models import ModelSpec
from fer_core.training.training_data import TrainingData


def make_card(
    spec: ModelSpec,
    recipe: dict[str, Any],
    parameters: int,
    training: dict[str, Any],
    served: dict[str, Any] | None,
    data: TrainingData,
    predictions: pd.DataFrame,
    measured: str,
) -> ModelCard:
    """Make the card that `fer_core.store.save_model` takes.

    Args:
        spec: what the model is.
        recipe: how it was fitted, as plain JSON types.
        parameters: how many numbers it holds.
        training: as `training_facts` collects them.
        served: how the served file was chosen and made; None for a model that is kept for comparison only.
        data: what it learnt from and was measured on.
        predictions: of both test splits, as `fer_core.inference.measure` tabulates them; empty where `data` has none.
        measured: in words, on what the numbers were measured.
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
    data: TrainingData, epochs: int | None, seed: int, seconds: float, libraries: dict[str, str]
) -> dict[str, Any]:
    """Collect where and on what a model was fitted, for its card.

    Args:
        data: what it learnt from.
        epochs: passes over the training part; None where there are none.
        seed: of the fit.
        seconds: that the fit took.
        libraries: what computed it: `backend` and versions.
    """
    return {
        "data": data.name,
        "faces": len(data.training),
        "holdout_faces": len(data.holdout),
        "epochs": epochs,
        "seed": seed,
        "seconds": round(seconds),
        "device": device(),
        **libraries,
        "commit": _commit(),
    }


def device() -> str:
    """Return the processor's name, where the system tells it, and its cores."""
    return f"{_processor()}, {os.cpu_count()} cores"


def _processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str | None:
    """The commit of this code, where it is a git checkout."""
    folder = Path(__file__).resolve().parent
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=folder, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
