"""The app on a server of its own, and the browser to open it with."""

import functools
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psutil

from tests.waiting import PATIENCE

ROOT: Final = Path(__file__).resolve().parents[1]


def chromium_path() -> str | None:
    """Return the path of an installed Chromium or Chrome; None without one."""
    named = os.environ.get("FER_CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def serving(
    folder: Path, *more: str, app: str | None = None, root: Path = ROOT, **variables: str
) -> Iterator[tuple[psutil.Popen, str]]:
    """Run the app on a free port until the end of the block; yield its process and address when it answers.

    `app` is another script for `streamlit run`, `more` its options, `root` the folder of the package, and `variables`
    are environment variables. The log is in the folder; its end is in the RuntimeError where it does not answer.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = ["fer_core", "app", "--host=127.0.0.1", f"--port={port}"]
    if app is not None:
        start = ["streamlit", "run", app, "--server.address=127.0.0.1", f"--server.port={port}"]
    command = [sys.executable, "-m", *start]
    options = ["--server.headless=true", "--server.fileWatcherType=none", *more]
    with (folder / "log.txt").open("wb") as log:
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        server = psutil.Popen([*command, *options], cwd=root, env={**os.environ, **variables}, **streams)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(server, f"{address}/_stcore/health", folder / "log.txt")
        yield server, address
    finally:
        with suppress(psutil.NoSuchProcess):  # it has ended
            server.terminate()
        server.wait(PATIENCE)


@contextmanager
def on_the_web(folder: Path) -> Iterator[str]:
    """Serve the files of a folder until the end of the block; yield their address."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _wait_for(server: psutil.Popen, address: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"Streamlit did not start: {log.read_text(errors='replace')[-2000:]}")
