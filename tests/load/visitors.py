"""Many people upload photos at once: `python -m tests.load.visitors --visitors 20 --seconds 120`.

One Streamlit server with a fresh data folder, one Chromium with a window for each visitor. A visitor opens Predict,
thinks, uploads a photo that nobody uploaded before, waits until its results are shown, thinks, and begins again. First,
one visitor is alone. Asked: no error, for the slowest visitor a median at most 5 times that of the single visitor, and
a server that after all have left needs at most 100 MB more than after its warm-up. Chromium needs
processor time of the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from PIL import Image

from tests.bad_inputs import encoded, good_input
from tests.browser.conftest import FLAGS, ROOT, _chromium, _free_port
from tests.load.report import MEGABYTE, fresh_home, show

RATIO: Final = 5.0
LEFT: Final = 100 * MEGABYTE
PATIENCE: Final = 120_000  # milliseconds

_SHOWN: Final = """() => {
    const quiet = document.querySelector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    const image = document.querySelector('[data-testid="stImage"] img')
    const stale = document.querySelector('[data-stale="true"]')
    return quiet && !stale && image && image.complete
}"""
"""Whether the page is quiet and shows a picture; before the upload there is none."""


@dataclass
class Visitor:
    """What one visitor saw: seconds from each upload to its results, and everything that went wrong."""

    number: int
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    async def visit(self, browser: Any, address: str, think: float, until: float, photos: int | None = None) -> None:
        """Upload photos until a time, or a number of them."""
        context = await browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        page.on("response", self._note)
        while len(self.seconds) < (photos or 10_000) and time.monotonic() < until:
            try:
                await self._one_photo(page, address, think)
            except Exception as error:  # a timeout: the visitor would have given up
                self.errors.append(f"{type(error).__name__}: {str(error).splitlines()[0][:120]}")
                break
        await context.close()

    async def _one_photo(self, page: Any, address: str, think: float) -> None:
        await page.goto(f"{address}/predict?p_source=Upload")
        await page.wait_for_selector('[data-testid="stFileUploader"] input[type=file]', state="attached")
        await asyncio.sleep(think)
        photo = {"name": f"photo {self.number}.jpg", "mimeType": "image/jpeg", "buffer": self._photo()}
        start = time.monotonic()
        await page.set_input_files('[data-testid="stFileUploader"] input[type=file]', [photo])
        await page.wait_for_function(_SHOWN, polling=50)
        self.seconds.append(time.monotonic() - start)
        if await page.locator('[data-testid="stException"]').count():
            self.errors.append("an exception on the page")
        await asyncio.sleep(think)

    def _note(self, response: Any) -> None:
        probe = "/predict/_stcore/" in response.url  # Streamlit asks below the page's path first, then at the root
        if response.status >= 400 and not probe:
            self.errors.append(f"status {response.status} of {response.url.split('?')[0]}")

    def _photo(self) -> bytes:
        """Return a photo that no cache knows."""
        turned = Image.open(io.BytesIO(good_input())).rotate(self.number % 9 - 4, expand=True)
        return encoded(turned.resize((900 + self.number, 900 + len(self.seconds))), "JPEG")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--think", type=float, default=2.0, help="seconds before and after each upload")
    parser.add_argument("--rest", type=float, default=60, help="seconds until the memory is read after all have left")
    given = parser.parse_args()
    with fresh_home() as folder, _server(folder) as (process, address):
        return asyncio.run(_measure(process, address, given))


async def _measure(process: psutil.Process, address: str, given: argparse.Namespace) -> int:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        warm, alone = Visitor(1001), Visitor(1000)
        await warm.visit(browser, address, 0.0, time.monotonic() + 600, photos=2)
        before = _memory(process)
        await alone.visit(browser, address, given.think, time.monotonic() + 600, photos=5)
        visitors = [Visitor(number) for number in range(given.visitors)]
        until = time.monotonic() + given.seconds
        visits = asyncio.gather(*(one.visit(browser, address, given.think, until) for one in visitors))
        peak = before
        while not visits.done():
            peak = max(peak, _memory(process))
            await asyncio.wait([visits], timeout=0.25)
        await browser.close()
    await asyncio.sleep(given.rest)
    after = _memory(process)
    errors = [f"visitor {one.number}: {error}" for one in (warm, alone, *visitors) for error in one.errors]
    if not alone.seconds or not all(one.seconds for one in visitors):
        errors.append("a visitor saw no results")
    medians = [statistics.median(one.seconds) for one in visitors if one.seconds] or [float("nan")]
    single = statistics.median(alone.seconds or [float("nan")])
    ratio = max(medians) / single
    rows = [
        ["Errors", str(len(errors)), "0"],
        ["Photos", str(sum(len(one.seconds) for one in visitors)), ""],
        ["Single visitor, median", f"{single:.2f} s", ""],
        ["Visitors' medians: typical, slowest", f"{statistics.median(medians):.2f} s, {max(medians):.2f} s", ""],
        ["Slowest visitor's median / single visitor's", f"{ratio:.1f}", f"≤ {RATIO:.0f}"],
        ["Server's memory after warm-up", f"{before / MEGABYTE:.0f} MB", ""],
        ["Server's memory at its peak", f"{peak / MEGABYTE:.0f} MB", ""],
        [
            f"Server's memory {given.rest:.0f} s after",
            f"{after / MEGABYTE:.0f} MB",
            f"≤ {(before + LEFT) / MEGABYTE:.0f} MB",
        ],
    ]
    violations = list(errors)
    if not ratio <= RATIO:
        violations.append(f"the ratio is {ratio:.1f}")
    if after > before + LEFT:
        violations.append(f"{(after - before) / MEGABYTE:.0f} MB remain")
    title = f"{given.visitors} visitors, {given.seconds:.0f} s, thinking {given.think:g} s before and after each upload"
    return show(title, ["", "Measured", "Asked"], rows, violations)


@contextmanager
def _server(folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    options = ["--server.headless=true", "--server.fileWatcherType=none", "--server.address=127.0.0.1"]
    with (folder / "log.txt").open("wb") as log:
        server = subprocess.Popen([*command, *options], cwd=ROOT, env=dict(os.environ), stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE / 1000
        while True:
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                    break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        yield psutil.Process(server.pid), address
    finally:
        server.terminate()
        server.wait(20)


def _memory(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


if __name__ == "__main__":
    sys.exit(main())
