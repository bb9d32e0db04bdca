"""Temporary folders: gone when they are closed, forgotten, or their process was killed."""

from __future__ import annotations

import gc
import subprocess
import sys

from fer_core.files import cache_folder
from fer_core.temporary import TemporaryFolder

KILLED = """
import os, signal
from fer_core.temporary import TemporaryFolder
folder = TemporaryFolder()
(folder.path / "face.png").write_bytes(b"x")
os.kill(os.getpid(), signal.SIGKILL)
"""


def names() -> set[str]:
    return {path.name for path in cache_folder("visits").iterdir()}


def test_closed_or_forgotten_ones_are_gone(home):
    one, other = TemporaryFolder(), TemporaryFolder()
    assert one.path.is_dir()
    assert other.path.is_dir(), "one in use is left alone"
    (one.path / "face.png").write_bytes(b"x")
    one.close()
    one.close()
    assert names() == {other.path.name, f"{other.path.name}.lock"}
    del other
    gc.collect()
    assert names() == set()


def test_what_a_killed_process_left_is_deleted_by_the_next(home):
    subprocess.run([sys.executable, "-c", KILLED], check=False)
    (left,) = (path for path in cache_folder("visits").iterdir() if path.is_dir())
    assert (left / "face.png").is_file()
    one = TemporaryFolder()
    assert names() == {one.path.name, f"{one.path.name}.lock"}
