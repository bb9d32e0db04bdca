"""Pages in a fresh tab of Chromium, and the Compare page with fourteen models on the server and in the browser."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from fer_core.columns import PROBABILITIES
from fer_core.store.folders import SHIPPED, list_models, save_model
from fer_core.store.stored_model import StoredModel
from tests.server import PATIENCE, ROOT, chromium_path, serving
from tests.speed.timing import in_child, seconds_each

MODELS: Final = 14
PAGES: Final = ("home", "compare", "confusion", "fairness", "finetune")
ONE_LINE: Final = "import streamlit as st; st.title('One line'); st.plotly_chart({'data': [{'y': [1, 2]}]})"
MARKS: Final = {
    "heading": "document.querySelector('h1')",
    "chart": "document.querySelector('.js-plotly-plot .main-svg')",
}
"""JavaScript that is true when a page has its heading or its first chart."""
CURVES: Final = "document.querySelectorAll('.js-plotly-plot .scatterlayer .trace path.js-line').length > 3"


def visit_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure the first and the second visit to pages; nothing without Chromium and Playwright.

    The data folder is empty; FER2013 is read where the environment names it.
    """
    numbers: dict[str, float] = {}
    if not _can_browse():
        return numbers
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        one_line = Path(folder) / "one_line.py"
        one_line.write_text(ONE_LINE, encoding="utf-8")
        for app, pages in ((one_line, ("one_line",)), (ROOT / "app.py", PAGES)):
            with serving(Path(folder), app=str(app), FER_HOME=folder) as (_, server), browsing() as window:
                for page in pages:
                    address = f"{server}/" + ("" if page in ("home", "one_line") else page)
                    for visit in ("first", "second"):
                        for mark, taken in seconds_to(address, window, **MARKS).items():
                            numbers[f"{page}_{visit}_{mark}_seconds"] = taken
    return numbers


def compare_numbers(model: StoredModel, seconds: float) -> dict[str, float]:
    """Measure Compare with the shipped models and noisy copies of one; without Chromium and Playwright, the server."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        shipped = sum(stored.folder.parent == SHIPPED for stored in list_models()[0])
        _save_noisy_copies(model, Path(home) / "models", MODELS - shipped)
        rendered, models = in_child(render_compare, FER_HOME=home)
        assert models >= MODELS, f"Expected {MODELS} models on the Compare page. Received: {models}"
        return {"page_render_seconds": rendered} | (_draw_compare(Path(home)) if _can_browse() else {})


def render_compare() -> list[float]:
    """Return the median seconds to render the Compare page again, and the number of models on it."""
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()
    app.switch_page("pages/compare.py").run()
    (seconds,) = seconds_each(app.run, warm_up=0)
    assert not app.exception, app.exception
    return [seconds, next(len(frame.value) for frame in app.dataframe if "accuracy" in frame.value)]


def seconds_to(address: str, window: Any, **conditions: str) -> dict[str, float]:
    """Open an address in a fresh tab; return the seconds until each JavaScript condition holds, in this order."""
    with window.new_page() as page:
        start = time.perf_counter()
        page.goto(address, wait_until="commit")
        return {name: _seconds_until(condition, page, start) for name, condition in conditions.items()}


@contextmanager
def browsing() -> Iterator[Any]:
    """Yield a window of a new Chromium, of 1280 x 900 pixels."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        with playwright.chromium.launch(executable_path=chromium_path(), args=flags) as browser:
            window = browser.new_context(viewport={"width": 1280, "height": 900})
            window.set_default_timeout(PATIENCE * 1000)
            yield window


def _can_browse() -> bool:
    return find_spec("playwright") is not None and chromium_path() is not None


def _seconds_until(condition: str, page: Any, start: float) -> float:
    page.wait_for_function(condition, polling=20)
    return time.perf_counter() - start


def _draw_compare(home: Path) -> dict[str, float]:
    received: list[int] = []
    with serving(home, FER_HOME=str(home)) as (_, server), browsing() as window:
        address = f"{server}/compare?c_section=ROC+and+PR"
        seconds_to(address, window, curves=CURVES)  # fills the caches of the server and the browser
        page = window.new_page()
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))

        def seconds_after(act: Callable[[], object]) -> float:
            start, _ = time.perf_counter(), act()
            return _seconds_until(CURVES, page, start)

        from_address, kilobytes = seconds_after(lambda: page.goto(address)), sum(received) / 1000
        page.get_by_role("tab", name="Scoreboard").click()
        page.wait_for_function(f"!({CURVES})")
        by_click = seconds_after(page.get_by_role("tab", name="ROC and PR").click)
    return {"section_draw_seconds": by_click, "page_draw_seconds": from_address, "page_draw_kilobytes": kilobytes}


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
        save_model(root, card, predictions=noisy, history=model.history())
