"""How long the Compare page takes to render again, with a dozen models."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from fer_core.benchmarks.fresh import measured
from fer_core.columns import PROBABILITIES
from fer_core.store import SHIPPED, StoredModel, list_models, save_model
from fer_core.types import FerError

PAGES: Final = {"page_render_seconds": "The Compare page with 12 models, rendered again, seconds (median of 5)"}

MODELS: Final = 12

_PROGRAM = """
import json, statistics, sys, time
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=300).run()
app.switch_page("pages/compare.py").run()
times = []
for _ in range(5):
    start = time.perf_counter()
    app.run()
    times.append(time.perf_counter() - start)
assert not app.exception, app.exception
shown = next(frame.value for frame in app.dataframe if "accuracy" in frame.value)
print(json.dumps([statistics.median(times), len(shown)]))
"""


def page_numbers(model: StoredModel) -> dict[str, float]:
    """Render the page in a fresh process over a temporary store: the shipped models and noisy copies of one.

    Args:
        model: a stored model with predictions of PublicTest.

    Raises:
        FerError: the model has no predictions, or the page failed.
    """
    with tempfile.TemporaryDirectory() as home:
        copies = MODELS - sum(shown.folder.parent == SHIPPED for shown in list_models()[0])
        noisy_copies(model, Path(home) / "models", copies)
        seconds, models = measured(_PROGRAM, "the Compare page", str(SHIPPED.parent / "app.py"), home=home)
    if models < MODELS:
        raise FerError(f"Expected {MODELS} models on the Compare page. Received: {models}")
    return {"page_render_seconds": seconds}


def noisy_copies(model: StoredModel, root: Path, copies: int) -> list[StoredModel]:
    """Store copies of a model that answer a little worse each: its log-probabilities with more and more noise.

    They stand in for other models where only their number matters, and are kept for comparison only.

    Args:
        model: whose predictions to take.
        root: the store's folder to write into.
        copies: how many.
    """
    original = pd.read_parquet(model.folder / "predictions.parquet")
    logs = np.log(np.maximum(original[PROBABILITIES].to_numpy(np.float64), 1e-9))
    made = []
    for number in range(1, copies + 1):
        noise = np.random.default_rng(number).normal(scale=0.25 * number, size=logs.shape)
        powers = np.exp(logs + noise)
        noisy = original.copy()
        noisy[PROBABILITIES] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        card = replace(model.card, name=f"noisy_{number:02d}", title=f"Noisy copy {number}", served=None)
        made.append(save_model(root, card, b"", noisy, model.history(), b""))
    return made
