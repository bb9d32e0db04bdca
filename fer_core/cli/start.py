"""`app`: the pages, in a server of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Annotated, Final

import typer
from typer import Argument, Option

from fer_core.cli.output import warn
from fer_core.extras import missing
from fer_core.store.folders import TOP

SETTINGS: Final = {"ignore_unknown_options": True}

_MEMORY: Final = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "524288", "MALLOC_TRIM_THRESHOLD_": "524288"}
"""glibc keeps what each thread has freed for that thread, and each page run is a thread: see docs/scale.md."""

_OPEN: Final = (
    "FER Lab is open to the network. Whoever reaches this computer may upload pictures and videos; start, stop and "
    "delete trainings; and see and delete the snapshots and models of everybody else, unless .streamlit/secrets.toml "
    'forbids it: see "A shared server" in docs/deploy.md.'
)


def start(
    options: Annotated[
        list[str] | None, Argument(help="Options of `streamlit run`.", metavar="--server.NAME VALUE…")
    ] = None,
    host: Annotated[str, Option(help="Address to listen on; 0.0.0.0 opens the app to the network.")] = "localhost",
    port: Annotated[int, Option(min=1, max=65535, help="Port to listen on.")] = 8501,
) -> None:
    """Start the app in the browser; Ctrl-C ends it."""
    if find_spec("streamlit") is None:
        raise missing("streamlit")
    if host not in ("localhost", "127.0.0.1", "::1"):
        warn(_OPEN)
    words = [sys.executable, "-m", "streamlit", "run", str(TOP / "app.py"), "--server.address", host]
    words += ["--server.port", str(port), *(options or [])]
    variables = _MEMORY | os.environ
    if os.name == "nt":  # where a program cannot be replaced by another
        raise typer.Exit(subprocess.call(words, env=variables))
    os.execve(sys.executable, words, variables)
