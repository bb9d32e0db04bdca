"""Processes of another computer or container: seen by their heartbeat, stopped by a file, killed if they are deaf."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer_core import heartbeat
from fer_core.heartbeat import ASKED, alive, ask_to_stop
from fer_core.processes import PROCESS, ProcessNote
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[1]

ELSEWHERE = """
import os, signal, sys, time
from pathlib import Path
import fer_core.files
fer_core.files.place = lambda: "elsewhere"
from fer_core.heartbeat import beating
from fer_core.processes import ProcessNote

folder = Path(sys.argv[1])
if sys.argv[2] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
ProcessNote.of(os.getpid()).write(folder)
with beating(folder):
    print("beats", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("ears", ["good", "deaf"])
def test_a_process_elsewhere_is_seen_and_stopped(tmp_path, ears):
    command = [sys.executable, "-c", ELSEWHERE, tmp_path, ears]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "beats\n"
        note = ProcessNote.read(tmp_path)
        assert (note.pid, note.place, note.find()) == (process.pid, "elsewhere", None)
        os.utime(tmp_path / PROCESS, (0, 0))
        until(lambda: alive(tmp_path))  # it beats again
        ask_to_stop(tmp_path, 0.5)
        assert process.wait(30) == {"good": -15, "deaf": -9}[ears]
        assert not (tmp_path / ASKED).exists()
    finally:
        process.kill()


def test_a_silent_process_elsewhere_has_ended(tmp_path):
    ProcessNote(os.getpid(), time.time(), "elsewhere").write(tmp_path)
    assert alive(tmp_path)
    silent = time.time() - heartbeat.SILENT_SECONDS - 1
    os.utime(tmp_path / PROCESS, (silent, silent))
    assert not alive(tmp_path)
    ask_to_stop(tmp_path, 1)
    assert not (tmp_path / ASKED).exists()


def test_without_a_note_there_is_no_process(tmp_path):
    assert not alive(tmp_path)
    ask_to_stop(tmp_path, 1)
    assert not list(tmp_path.iterdir())
