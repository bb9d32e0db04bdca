"""Child processes: they find the package, are found again, and are stopped with their children."""

from __future__ import annotations

import os
import subprocess

import psutil
import pytest

from fer_core.processes import LOG, PROCESS, ProcessNote, run_python, start_python, stop_process
from tests.waiting import until

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_child_imports_the_same_package_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = "import fer_core, os, sys; print(fer_core.__file__, os.getcwd(), os.environ['EXTRA'], sys.argv[1])"
    done = run_python("-c", program, "last", variables={"EXTRA": "1"})
    import fer_core

    assert done.stdout.split() == [fer_core.__file__, str(tmp_path), "1", "last"]


def test_a_child_that_takes_too_long():
    with pytest.raises(subprocess.TimeoutExpired):
        run_python("-c", "import time; time.sleep(60)", timeout=0.5)


def test_a_failing_child_reports_its_status_and_error():
    done = run_python("-c", "raise SystemExit('no')")
    assert (done.returncode, done.stderr.strip()) == (1, "no")


def test_background_process_is_logged_noted_and_stopped_with_its_children(tmp_path):
    start_python("-c", STUBBORN, folder=tmp_path)
    process = ProcessNote.read(tmp_path).find()
    child = psutil.Process(int(until((tmp_path / LOG).read_text)))
    assert process.nice() == min(19, psutil.Process().nice() + 5)
    assert os.getsid(process.pid) != os.getsid(0)
    stop_process(process, patience=0.2)
    until(lambda: ProcessNote.read(tmp_path).find() is None)
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    until(lambda: not psutil.pid_exists(process.pid))  # waited for: no zombie stays


def test_a_note_names_no_other_process(tmp_path):
    mine = ProcessNote.of(os.getpid())
    mine.write(tmp_path)
    assert ProcessNote.read(tmp_path).find().pid == os.getpid()
    assert ProcessNote(mine.pid, mine.created - 100).find() is None
    assert ProcessNote.of(2**30) is None


@pytest.mark.parametrize("content", [None, b"", b"[1]", b'{"pid": "x", "created": 1}', b'{"pid": -5, "created": 1}'])
def test_a_damaged_note_names_none(tmp_path, content):
    if content is not None:
        (tmp_path / PROCESS).write_bytes(content)
    note = ProcessNote.read(tmp_path)
    assert note is None or note.find() is None
