"""Stored models and a small FER2013, made up: predictions are noise around made-up labels, faces are flat gray."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fer_core.columns import DEGRADED_COLUMNS, PROBABILITIES
from fer_core.data import FaceDataset, fer2013_rows
from fer_core.data.fer2013 import read_csv
from fer_core.faces import DEGRADATIONS
from fer_core.store.card import ModelCard
from fer_core.store.folders import save_model
from fer_core.store.stored_model import StoredModel

FACES = 105
"""Of each test split; labels go round the seven expressions."""

TRAINING = 3
"""Rows before the test splits, so that row numbers are not positions."""

START = {"public_test": TRAINING, "private_test": TRAINING + FACES}
SKILLS = {"able": 3.0, "fair": 2.0, "weak": 1.0}
"""Model to how far the true class stands out of its noise."""


def labels() -> np.ndarray:
    return np.arange(FACES) % 7


def plurality() -> np.ndarray:
    """The annotators give every third face the next label, and every fifth no clear one."""
    places = np.arange(FACES)
    voted = np.where(places % 3 == 0, (labels() + 1) % 7, labels())
    return np.where(places % 5 == 4, -1, voted)


def noisy(labels: np.ndarray, seed: int | np.random.Generator = 0, skill: float = 1.5) -> np.ndarray:
    """Return probabilities `(n, 7)` in which the label stands out of the noise."""
    logits = np.random.default_rng(seed).normal(size=(len(labels), 7))
    logits[np.arange(len(labels)), labels] += skill
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def probabilities(skill: float, seed: int) -> np.ndarray:
    return noisy(labels(), seed, skill)


def predictions(skill: float, splits: tuple[str, ...] = ("public_test", "private_test")) -> pd.DataFrame:
    tables = []
    for split, view in product(splits, ("plain", "flip")):
        seed = int(1000 * skill) + 10 * START[split] + len(view)
        table = pd.DataFrame(probabilities(skill, seed), columns=PROBABILITIES)
        rows = START[split] + np.arange(FACES)
        tables.append(table.assign(row=rows, split=split, view=view, label=labels(), plurality=plurality()))
    return pd.concat(tables, ignore_index=True)


def degraded_table(accuracy: float) -> pd.DataFrame:
    """Return results on 1,000 degraded faces: this accuracy when clean, a tenth of it less for each strength."""
    rows: list[dict[str, Any]] = [{"kind": "clean", "strength": 0, "level": 0.0}]
    for kind, degradation in DEGRADATIONS.items():
        rows += [{"kind": kind, "strength": k, "level": float(v)} for k, v in enumerate(degradation.levels, start=1)]
    for row in rows:
        share = accuracy * (1 - row["strength"] / 10)
        row |= {"faces": 1000, "accuracy": share, "low": share - 0.03, "high": share + 0.03, "confidence": accuracy}
        row |= {"faces_plurality": 900, "accuracy_plurality": share + 0.1}
        row |= {"low_plurality": share + 0.07, "high_plurality": share + 0.13}
    return pd.DataFrame(rows, columns=DEGRADED_COLUMNS)


def card(name: str, **more: Any) -> ModelCard:
    values = {"name": name, "title": f"The {name} one", "parameters": 1234567, "weights_from": "random"}
    return ModelCard.from_dict({**values, "input_size": 48, "metrics": {"made up": {}}, "served": None, **more})


def add_model(
    root: Path, name: str, skill: float = 2.0, history: bool = True, degraded: bool = True, **more: Any
) -> StoredModel:
    curves = {"epoch": [0, 1], "loss": [1.9, 1.5], "accuracy": [0.2, 0.4], "val_accuracy": [0.3, 0.5]}
    table = pd.DataFrame(curves) if history else pd.DataFrame()
    results = degraded_table(0.2 + skill / 5) if degraded else None
    return save_model(root, card(name, **more), predictions=predictions(skill), history=table, degraded=results)


def add_models(root: Path) -> list[StoredModel]:
    return [add_model(root, name, skill) for name, skill in SKILLS.items()]


def write_fer2013(folder: Path, monkeypatch: pytest.MonkeyPatch, flat: bool = True) -> Path:
    """Write `fer2013.csv` whose face in row r is all gray level `r % 256`; if not flat, but for one pixel.

    While the test runs, these are the known rows of FER2013, and `write_votes` writes the names of FER+ for them.
    """
    lines = ["emotion,pixels,Usage"]
    usage = ["Training"] * TRAINING + ["PublicTest"] * FACES + ["PrivateTest"] * FACES
    for row, (emotion, split) in enumerate(zip([0] * TRAINING + 2 * labels().tolist(), usage, strict=True)):
        first = row if flat else row + 128
        lines.append(f"{emotion},{first % 256}{f' {row % 256}' * 2303},{split}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "fer2013.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    know_rows(folder, read_csv(path), monkeypatch)
    return path


def know_rows(folder: Path, dataset: FaceDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let these faces be the rows of FER2013 in this order, without a hold-out; FER+'s names are row numbers."""
    facts = {"signatures": fer2013_rows.signatures(dataset.images), "twins": fer2013_rows.twins(dataset)}
    np.savez(folder / "rows.npz", behind=np.zeros(len(dataset), np.int16), holdout=np.array([], np.int32), **facts)
    monkeypatch.setattr(fer2013_rows, "FILE", folder / "rows.npz")


def write_votes(folder: Path) -> Path:
    """Write FER+ votes: everybody says fear 6, contempt 3, not a face 1."""
    columns = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    lines = [f"x,fer{row:07d}.png,0,0,0,0,0,0,6,3,0,1" for row in range(TRAINING + 2 * FACES)]
    path = folder / "ferplus_votes.csv"
    path.write_text("\n".join([columns, *lines]) + "\n", encoding="utf-8")
    return path
