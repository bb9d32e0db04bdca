"""A PostgreSQL server for tests: its own data, its own port, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.waiting import until


def programs() -> Path:
    """Return the folder of `initdb` and `postgres`; without them, skip the test, or fail it if FER_REQUIRE_ALL=1."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(debian[-1]) if debian else None)
    if found and Path(found).resolve().with_name("postgres").is_file():
        return Path(found).resolve().parent
    message = "needs a PostgreSQL server: install Debian's package postgresql, or put initdb on the PATH"
    if os.environ.get("FER_REQUIRE_ALL") == "1":
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def running() -> Iterator[str]:
    """Start a server and yield the SQLAlchemy URL of an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="fer-postgresql-"))  # not in pytest's, which other users cannot enter
    user = []
    if os.geteuid() == 0:  # the server refuses to run as root
        user = [shutil.which("runuser") or "/usr/sbin/runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data, bin_folder = folder / "data", programs()
    try:
        subprocess.run(
            [*user, bin_folder / "initdb", "-D", data, "-U", "fer", "-A", "trust", "--no-sync", "--no-instructions"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
        )
        options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "fsync": "off"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log.txt").open("wb") as log:
            server = subprocess.Popen(
                [*user, bin_folder / "postgres", "-D", data, *settings], stdout=log, stderr=log, cwd=folder
            )
        try:
            until(lambda: server.poll() is not None or _answers(port))
            assert server.poll() is None, (folder / "log.txt").read_text()
            yield f"postgresql+psycopg://fer@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run(
                [*user, bin_folder / "pg_ctl", "stop", "-D", data, "-m", "immediate", "-s"], check=False, cwd=folder
            )
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(port: int) -> bool:
    try:
        psycopg.connect(host="127.0.0.1", port=port, user="fer", dbname="postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
