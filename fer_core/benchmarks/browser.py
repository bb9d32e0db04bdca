"""Benchmark: time until the largest section of the Compare page is drawn in Chromium, and the bytes sent for it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

BROWSER: Final = {
    "section_draw_seconds": "Its largest section, ROC and PR, drawn in Chromium after a click on its tab, seconds",
    "page_draw_seconds": "The same section from its address in a fresh tab, with the app's scripts, seconds",
    "page_draw_kilobytes": "Sent to the browser for it, kilobytes without the app's scripts",
}

PATIENCE: Final = 120
"""Seconds until the server and the page must be there."""

_DRAWN: Final = "document.querySelectorAll('.js-plotly-plot .scatterlayer .trace path.js-line').length > 3"


def chromium() -> str | None:
    """Return the path of an installed Chromium or Chrome; None without one, or without Playwright to drive it."""
    if find_spec("playwright") is None:
        return None
    named = os.environ.get("FER_CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def draw_page(app: Path) -> list[float]:
    """Open the section in a fresh tab of a browser that has shown it before, and by a click on its tab in the page.

    Args:
        app: the file `app.py`; models come from the store as the environment names it.

    Returns:
        The values of `BROWSER`.
    """
    from playwright.sync_api import sync_playwright

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ("--server.headless=true", "--server.fileWatcherType=none", "--server.address=127.0.0.1")
    command = [sys.executable, "-m", "streamlit", "run", app.name, f"--server.port={port}", *options]
    server = subprocess.Popen(command, cwd=app.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
            window = browser.new_context(viewport={"width": 1280, "height": 900})
            address = f"http://127.0.0.1:{port}/compare?c_section=ROC+and+PR"
            _visit(window, address)  # fills the caches of the server and the browser
            found = _visit(window, address)
            browser.close()
    finally:
        server.terminate()
        server.wait(20)
    return found


def _visit(window: Any, address: str) -> list[float]:
    received: list[int] = []
    page = window.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.on("websocket", lambda one: one.on("framereceived", lambda frame: received.append(len(frame))))
    from_address = _seconds(page, lambda: page.goto(address))
    kilobytes = sum(received) / 1000
    page.get_by_role("tab", name="Scoreboard").click()
    page.wait_for_function(f"!({_DRAWN})")
    by_click = _seconds(page, page.get_by_role("tab", name="ROC and PR").click)
    page.close()
    return [by_click, from_address, kilobytes]


def _seconds(page: Any, act: Callable[[], object]) -> float:
    """Return the seconds from an action until the curves are drawn."""
    start = time.perf_counter()
    act()
    page.wait_for_function(_DRAWN, polling=20)
    return time.perf_counter() - start


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    print(json.dumps(draw_page(Path(sys.argv[1]))))
