"""Take the README's pictures of pages: `python .github/screenshots.py`. FER2013 is left out, so no face is shown."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = {
    "predict": "predict",
    "tour": "tour?t_step=Softmax",
    "compare": "compare?c_section=ROC+and+PR",
    "fairness": "fairness",
}
"""File name to page."""

SIZE = {"width": 1280, "height": 1000}  # pixels
LARGE = 250_000  # bytes

QUIET = """() => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')
    && !document.querySelector('[data-testid=stSkeleton], [data-testid=stSpinner], [data-stale=true]')"""
"""Whether the page has nothing left to do."""


def main() -> None:
    """Start the app on a free port, take the pictures, and stop it."""
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FER2013", "FERPLUS"))}
        words = ["fer_core", "app", "--port", str(port), "--server.headless=true"]
        server = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=ROOT, env={**kept, "FER_HOME": home}, stdout=subprocess.DEVNULL
        )
        try:
            address = f"http://localhost:{port}"
            wait_for(f"{address}/_stcore/health")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=os.environ.get("BROWSER_PATH", "/usr/bin/chromium"), args=["--no-sandbox"]
                )
                for name, page in PICTURES.items():
                    take(browser.new_page(viewport=SIZE), f"{address}/{page}", ROOT / ".github" / f"{name}.png")
        finally:
            server.terminate()
            server.wait()


def wait_for(address: str) -> None:
    """Wait until the server answers, at most a minute."""
    for _ in range(120):
        try:
            urllib.request.urlopen(address, timeout=1)
            return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"No answer from {address}")


def take(page, address: str, path: Path) -> None:
    """Save a picture of a page once it has nothing left to do; a photo in 256 colours, to keep the file small."""
    page.goto(address)
    page.wait_for_timeout(3000)
    for _ in range(2):
        page.wait_for_function(QUIET, timeout=120_000)
        page.wait_for_timeout(3000)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.save(path, optimize=True)
    if path.stat().st_size > LARGE:
        picture.quantize(256).save(path, optimize=True)
    page.close()


if __name__ == "__main__":
    main()
