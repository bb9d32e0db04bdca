"""The app in a real Chromium, against a real server on a free port."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests import waiting
from tests.bad_inputs import encoded, good_input
from tests.server import serving

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--allow-loopback-in-peer-connection"]
FLAGS += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
FLAGS += ["--disable-features=WebRtcHideLocalIpsWithMdns"]
PATIENCE = waiting.PATIENCE * 1000
"""Milliseconds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run a browser test once more if it fails: two busy cores can outrun a pointer. The report counts such tests."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def start_server(
    chromium: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[..., str]]:
    """Start a fresh server with each call, which may add options of `streamlit run`, and return its address.

    Only what can be rebuilt is shared; the parsed FER2013 also between sessions.
    """
    cache, kept = tmp_path_factory.mktemp("cache"), request.config.cache.mkdir("fer_home") / "cache" / "fer2013"
    kept.mkdir(parents=True, exist_ok=True)
    (cache / "fer2013").symlink_to(kept)
    with ExitStack() as running:

        def start(*more: str) -> str:
            home = tmp_path_factory.mktemp("server") / "home"
            home.mkdir()
            (home / "cache").symlink_to(cache)
            return running.enter_context(serving(home.parent, *more, FER_HOME=str(home)))[1]

        yield start


@pytest.fixture(scope="session")
def server(start_server: Callable[..., str]) -> str:
    """The address of the server that the tests share."""
    return start_server()


@pytest.fixture(scope="session")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One Chromium whose camera shows the sample portrait's head."""
    from playwright.sync_api import sync_playwright

    film = tmp_path_factory.mktemp("camera") / "face.mjpeg"
    film.write_bytes(camera_picture() * 30)  # MJPEG: one JPEG after the other
    with sync_playwright() as playwright:
        camera = f"--use-file-for-fake-video-capture={film}"
        found = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, camera])
        yield found
        found.close()


@pytest.fixture
def visit(browser: Any, server: str) -> Iterator[Callable[..., Any]]:
    """Open an address of the app in a fresh window. In the end it is checked that no page has asked another host."""
    contexts = []
    asked: set[str] = set()
    hosts: set[str | None] = {"127.0.0.1", None}  # None: data and blob

    def opened(path: str = "/", width: int = 1280, scheme: str = "light", base: str | None = None) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        context.on("request", lambda request: asked.add(request.url))
        page = context.new_page()
        page.on("websocket", lambda socket: asked.add(socket.url))
        page.goto((base or server) + path)
        hosts.add(urlsplit(page.url).hostname)
        page.wait_for_selector("h1")
        settle(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    strange = [url for url in asked if urlsplit(url).hostname not in hosts]
    assert not strange, f"A page asked another host: {strange}"


def agree(page: Any) -> None:
    """Confirm that everyone in view agrees, as the app asks before a camera starts."""
    page.get_by_role("button", name="Everyone in view agrees").click()
    settle(page)


def camera_picture() -> bytes:
    """Return one 640 x 480 JPEG with the sample's head in it."""
    head = Image.open(io.BytesIO(good_input())).resize((400, 400))
    frame = Image.new("RGB", (640, 480), "gray")
    frame.paste(head, (120, 40))
    return encoded(frame, "JPEG", quality=90)


QUIET = """() => {
    const running = !document.querySelector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    if (running || document.querySelector('[data-stale="true"]')) window.quietSince = undefined
    else window.quietSince ??= performance.now()
    return performance.now() - window.quietSince > 500
}"""
"""Whether no script has run and nothing on the page has been stale for half a second."""


def settle(page: Any) -> None:
    """Wait until the page is quiet, and check that it shows no exception."""
    page.evaluate("() => { window.quietSince = undefined }")
    page.wait_for_function(QUIET, polling=50)
    assert page.locator('[data-testid="stException"]').count() == 0


def until(page: Any, condition: Callable[[], Any], every: int = 100) -> None:
    """Wait until a condition holds; it is checked again after some milliseconds."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < deadline, "The condition did not come true."
        page.wait_for_timeout(every)


def box_of(locator: Any) -> dict[str, float]:
    """Return where an element is, in CSS pixels; it has no place while its chart is drawn again, so wait for one."""
    boxes: list[dict[str, float]] = []
    until(locator.page, lambda: boxes.extend(filter(None, [locator.bounding_box()])) or boxes)
    return boxes[-1]


def fits_width(page: Any) -> None:
    """Wait until the page needs no horizontal scrolling."""
    main = page.locator('[data-testid="stMain"]')
    until(page, lambda: main.evaluate("element => element.scrollWidth <= element.clientWidth"))


def upload(page: Any, *files: tuple[str, bytes]) -> None:
    """Hand files (name and content) to the page's file uploader."""
    given = [{"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files]
    page.set_input_files('[data-testid="stFileUploader"] input[type=file]', given)


def plot_of(page: Any, number: int = 0) -> Any:
    """Return a chart once it is drawn."""
    found = page.locator(".js-plotly-plot").nth(number)
    found.locator(".main-svg").first.wait_for()
    return found
