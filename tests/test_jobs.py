"""Background work: seen by its file of life, stopped by a file, killed if deaf; and children that run to their end."""

import os
import sys
import time

import psutil
import pytest

import fer_core
from fer_core import jobs
from fer_core.jobs import ALIVE, LOG, STOP, alive, claim, file_of_child, run_python, start, stop, stop_asked, working
from fer_core.types import FerError
from tests.waiting import PATIENCE, until

WORKER = """
import subprocess, sys, time
from pathlib import Path
from fer_core import jobs

folder = Path(sys.argv[1])
jobs.PATIENCE = 0.1
with jobs.working(folder):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(child.pid, flush=True)
    while sys.argv[2] == "deaf" or not jobs.stop_asked(folder):
        time.sleep(0.05)
    child.kill()
"""


@pytest.mark.parametrize("ears", ["good", "deaf"])
def test_a_job_is_logged_seen_and_stopped_with_its_children(tmp_path, ears):
    start("-c", WORKER, str(tmp_path), ears, folder=tmp_path)
    assert alive(tmp_path)
    child = psutil.Process(int(until((tmp_path / LOG).read_text)))
    worker = psutil.Process(int((tmp_path / ALIVE).read_text()))
    assert worker.nice() == min(19, psutil.Process().nice() + 5)
    assert os.getsid(worker.pid) != os.getsid(0)
    os.utime(tmp_path / ALIVE, (0, 0))
    until(lambda: alive(tmp_path))  # it touches the file again
    stop(tmp_path)
    until(lambda: not alive(tmp_path))
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    until(lambda: not psutil.pid_exists(worker.pid))  # waited for: no zombie stays


def test_a_killed_child_is_noticed_at_once_and_any_other_job_after_a_minute(tmp_path):
    start("-c", WORKER, str(tmp_path), "good", folder=tmp_path)
    child = int(until((tmp_path / LOG).read_text))
    os.kill(int((tmp_path / ALIVE).read_text()), 9)
    until(lambda: not alive(tmp_path))
    os.kill(child, 9)
    claim(tmp_path)
    assert alive(tmp_path)
    silent = time.time() - jobs.SILENT_SECONDS - 1
    os.utime(tmp_path / ALIVE, (silent, silent))
    stop(tmp_path)
    assert not alive(tmp_path)
    assert not (tmp_path / STOP).exists()


def test_a_job_is_to_stop_if_it_was_asked_or_its_folder_is_gone(tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    stop(folder)
    assert not list(folder.iterdir())  # nobody works on it
    with working(folder):
        assert not stop_asked(folder)
        stop(folder)
        assert stop_asked(folder)
        claim(folder)
        assert not stop_asked(folder)
    assert not alive(folder)
    folder.rmdir()
    assert stop_asked(folder)


def test_a_child_imports_the_same_package_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = "import fer_core, os, sys; print(fer_core.__file__, os.getcwd(), os.environ['EXTRA'], sys.argv[1])"
    done = run_python("-c", program, "last", variables={"EXTRA": "1"})
    assert done.stdout.split() == [fer_core.__file__, str(tmp_path), "1", "last"]


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("raise MemoryError", "^It failed: MemoryError$"),
        ("print('So not.'); raise SystemExit(3)", "^So not.$"),
        ("pass", "^It failed: no message$"),
        ("import time; time.sleep(60)", "^It failed within 0 minutes"),
        (None, "It failed: No such file"),
    ],
)
def test_a_child_that_writes_no_file_or_cannot_be_started_is_one_sentence(tmp_path, monkeypatch, program, sentence):
    if program is None:
        monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
        with pytest.raises(OSError, match="No such file"):
            start("-c", "pass", folder=tmp_path)
        assert not alive(tmp_path)
    timeout = 1 if "sleep" in str(program) else PATIENCE
    with pytest.raises(FerError, match=sentence):
        file_of_child("-c", str(program), target=tmp_path / "x", failed="It failed", timeout=timeout)
