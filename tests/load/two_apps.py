"""Two copies of the app on one data folder, driven by a browser: what one starts, the other shows, stops and uses.

    python tests/load/two_apps.py [--ports 8661 8662] [--parts quiz runs studies]

It needs FER2013 and Chromium, and takes some minutes. As root, the second copy gets process ids of its own, as in a
container, so that neither copy can find the other's processes by their ids. pytest does not collect this program.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SMALL = "f_faces=500&f_variant=Compact+CNN&f_start=Compact+CNN&f_epochs=6&f_augment=mirror"
PATIENCE = 300_000  # milliseconds


@contextmanager
def app(port: int, home: Path, apart: bool) -> Iterator[str]:
    """Run a copy of the app; `apart` gives it process ids of its own."""
    words = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    words.append("--server.address=127.0.0.1")
    if apart:
        words = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *words]
    environment = {**os.environ, "FER_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with (home / f"app-{port}.txt").open("wb") as log:
        copy = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        until_healthy(f"http://127.0.0.1:{port}", copy)
        yield f"http://127.0.0.1:{port}"
    finally:
        copy.kill()  # `unshare` takes its child with it
        copy.wait(30)


def until_healthy(address: str, copy: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + 60
    while copy.poll() is None and time.monotonic() < limit:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    sys.exit(f"{address} did not start")


def badge(page: Page, word: str) -> None:
    page.locator(".stMarkdownBadge").filter(has_text=re.compile(word)).first.wait_for()


def runs_and_models(one: str, two: str, page: Page, other: Page) -> None:
    page.goto(f"{one}/finetune?{SMALL}")
    page.get_by_role("button", name="Start training").click()
    badge(page, "Preparing|Fitting|Waiting")
    run = re.search(r"f_run=([^&]+)", page.url) or re.search(r"=(\d{8}-\d{6}-[^&]+)", page.url)
    said(f"the first copy has started {run.group(1) if run else page.url}")
    other.goto(f"{two}/finetune{page.url[page.url.index('?') :]}")
    badge(other, "Fitting")
    other.locator(".js-plotly-plot .scatterlayer .point").nth(3).wait_for()
    said("the second shows its curves")
    began = time.monotonic()
    other.get_by_test_id("stTabs").get_by_role("button", name="Stop").click()
    badge(page, "Stopped")
    badge(other, "Stopped")
    said(f"the second has stopped it; both show that, {time.monotonic() - began:.1f} s after the click")
    other.get_by_role("button", name="Resume").click()
    badge(other, "Waiting|Preparing|Fitting")
    page.reload()
    badge(page, "Waiting|Preparing|Fitting|Measuring|Finished")
    said("the second has resumed it; the first shows that")
    badge(page, "Finished")
    page.get_by_role("button", name="Promote: use it on every page").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("from_two_apps")
    page.get_by_role("button", name="Promote", exact=True).click()
    page.get_by_role("link", name=re.compile("Try .* on the Predict page")).click()
    page.wait_for_url(re.compile("p_models="))
    link = page.url.replace(one, two)
    other.goto(link)
    other.get_by_role("heading", name=re.compile("Face 1: ")).wait_for()
    assert other.url == link, other.url  # a model that the second copy did not know would be dropped from the address
    said("the first has promoted its model; the second predicts with it")


def studies(one: str, two: str, page: Page, other: Page) -> None:
    tab = "finetune?f_tab=Tuning"
    page.goto(f"{one}/{tab}")
    page.get_by_role("tab", name=re.compile("Tun")).click()
    page.get_by_role("button", name="Start the study").click()
    page.get_by_test_id("stTabs").get_by_role("button", name="Stop").wait_for()
    other.goto(f"{two}/{tab}")
    other.get_by_role("tab", name=re.compile("Tun")).click()
    began = time.monotonic()
    other.get_by_test_id("stTabs").get_by_role("button", name="Stop").click()
    page.get_by_test_id("stTabs").get_by_role("button", name="Stop").wait_for(state="detached")
    said(f"a study of the first copy was stopped by the second, {time.monotonic() - began:.1f} s after the click")


def quiz(one: str, two: str, page: Page, other: Page) -> None:
    page.goto(f"{one}/quiz")
    page.get_by_role("button", name="Open a room").click()
    page.get_by_role("button", name="End the room").wait_for()
    code = page.get_by_role("heading", name=re.compile(r"^[A-Z]{4}$")).inner_text()
    other.goto(f"{two}/quiz?q_room={code}")
    other.get_by_role("button", name="Join").click()
    other.get_by_text("You are").wait_for()
    page.get_by_test_id("stMetric").filter(has_text="Joined").filter(has_text="1").wait_for()
    said("who joins a quiz room in the second copy is counted in the first")


PARTS = {"quiz": quiz, "runs": runs_and_models, "studies": studies}


def said(sentence: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {sentence}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ports", nargs=2, type=int, default=[8661, 8662])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    ports = options.ports
    apart = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("unshare") is not None
    said(f"the second copy has {'process ids of its own' if apart else 'the same process ids'}")
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        one, two = (stack.enter_context(app(port, home, apart and k == 1)) for k, port in enumerate(ports))
        play = stack.enter_context(sync_playwright())
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page, other = browser.new_page(), browser.new_page()
        for one_page in (page, other):
            one_page.set_default_timeout(PATIENCE)
        try:
            for part in options.parts:
                PARTS[part](one, two, page, other)
        except Exception:
            for name, one_page in (("one", page), ("two", other)):
                one_page.screenshot(path=Path(tempfile.gettempdir()) / f"two_apps_{name}.png", full_page=True)
            raise
        browser.close()
    said("both copies agree")


if __name__ == "__main__":
    main()
