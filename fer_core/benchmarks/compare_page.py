"""Benchmark: time to render the Compare models page with fourteen models, on the server and in a browser."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from fer_core.benchmarks.browser import BROWSER, chromium
from fer_core.benchmarks.timing import run_program
from fer_core.columns import PROBABILITIES
from fer_core.store import SHIPPED, list_models, save_model
from fer_core.stored_model import StoredModel
from fer_core.types import FerError

PAGES: Final = {
    "page_render_seconds": "The Compare page with 14 models or more, rendered again by the server, seconds",
    **BROWSER,
}

MODELS: Final = 14


def page_numbers(model: StoredModel) -> dict[str, float]:
    """Render the page in a new process, with the shipped models and noisy copies of one in a temporary store.

    Without Chromium and Playwright, the numbers of the browser are left out.

    Args:
        model: a stored model with predictions.

    Raises:
        FerError: the process failed, or the page shows too few models.
    """
    with tempfile.TemporaryDirectory() as home:
        copies = MODELS - sum(shown.folder.parent == SHIPPED for shown in list_models()[0])
        _save_noisy_copies(model, Path(home) / "models", copies)
        app = str(SHIPPED.parent / "app.py")
        seconds, models = run_program("fer_core.benchmarks.compare_page", "the Compare page", app, home=home)
        drawn = {}
        if chromium():
            found = run_program("fer_core.benchmarks.browser", "the Compare page in a browser", app, home=home)
            drawn = dict(zip(BROWSER, found, strict=True))
    if models < MODELS:
        raise FerError(f"Expected {MODELS} models on the Compare page. Received: {models}")
    return {"page_render_seconds": seconds, **drawn}


def _save_noisy_copies(model: StoredModel, root: Path, copies: int) -> None:
    """Save copies of a model to a store, with increasing noise on the logarithms of their probabilities."""
    original = pd.read_parquet(model.folder / "predictions.parquet")
    logs = np.log(np.maximum(original[PROBABILITIES].to_numpy(np.float64), 1e-9))
    for number in range(1, copies + 1):
        noise = np.random.default_rng(number).normal(scale=0.25 * number, size=logs.shape)
        powers = np.exp(logs + noise)
        noisy = original.copy()
        noisy[PROBABILITIES] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        card = replace(model.card, name=f"noisy_{number:02d}", title=f"Noisy copy {number}", served=None)
        save_model(root, card, b"", noisy, model.history(), b"")


def _time_page(app_file: str) -> list[float]:
    """Return the median seconds to render the page again, and the number of models that it shows."""
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(app_file, default_timeout=300).run()
    app.switch_page("pages/compare.py").run()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        app.run()
        times.append(time.perf_counter() - start)
    assert not app.exception, app.exception
    shown = next(frame.value for frame in app.dataframe if "accuracy" in frame.value)
    return [statistics.median(times), len(shown)]


if __name__ == "__main__":
    print(json.dumps(_time_page(sys.argv[1])))
