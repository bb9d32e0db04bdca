"""A study in processes of its own: they share one database, and stop when they are asked to."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer_core.tuning import process
from fer_core.tuning.storage import default_storage, open_storage
from fer_core.tuning.study import create_study, open_study
from fer_core.types import FerError
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]

WORKER = """
import sys, time
from fer_core.tuning.storage import open_storage
from fer_core.tuning.study import open_study
study = open_study("first", open_storage())
def objective(trial):
    study.plan.space.draw(trial)
    time.sleep(0.05)
    return 0.1 * (trial.number % 5)
study.study.optimize(objective, n_trials=7)
"""


def test_two_processes_share_one_study(study):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    workers = [subprocess.Popen([sys.executable, "-c", WORKER], env=environment) for _ in range(2)]
    assert [worker.wait(120) for worker in workers] == [0, 0]
    table = open_study("first", open_storage()).trials()
    assert len(table) == 14
    assert set(table["state"]) == {"finished"}
    assert table["trial"].tolist() == list(range(1, 15))
    assert table["learning_rate"].nunique() == 14  # no two processes sample the same values
    assert study.best().value == pytest.approx(0.4)


def test_a_study_runs_in_the_background_and_stops(study, monkeypatch):
    """The real process: without FER2013 it ends with a message; while it is working it can be stopped."""
    monkeypatch.setenv("FER_TUNING_STORAGE", default_storage())
    process.start("first", 2)
    with pytest.raises(FerError, match="is already working on first"):
        process.start("first", 2)
    until(lambda: not process.working("first"))
    assert "Error: FER2013" in process.log("first", 1)
    assert study.ended() == 0
    process.start("first", 2)
    process.stop("first", patience=5)
    until(lambda: not process.working("first"))


def test_stopping_a_study_without_a_process_does_nothing(home):
    assert not process.working("first")
    process.stop("first")
    assert process.log("first") == ""
    with pytest.raises(FerError, match="not a valid study name"):
        process.working("../first")


def test_a_dead_process_leaves_no_trial_behind(study, plan, monkeypatch):
    """Killed without warning, its trial is marked as cut off once it has sent no heartbeat for a while."""
    monkeypatch.setattr("fer_core.tuning.storage.HEARTBEAT_SECONDS", 1)
    monkeypatch.setattr("fer_core.tuning.storage.GRACE_SECONDS", 2)
    code = WORKER.replace("time.sleep(0.05)", "print('begun', flush=True); time.sleep(60)").replace(
        "from fer_core.tuning.storage import open_storage",
        "from fer_core.tuning import storage; storage.HEARTBEAT_SECONDS, storage.GRACE_SECONDS = 1, 2; "
        "from fer_core.tuning.storage import open_storage",
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    worker = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
    assert worker.stdout.readline() == "begun\n"
    time.sleep(1.5)
    assert open_study("first", open_storage()).trials()["state"].tolist() == ["working"]
    worker.kill()
    worker.wait()
    until(lambda: open_study("first", open_storage()).trials()["state"].tolist() == ["cut off"])
    assert create_study(plan, open_storage()).ended() == 0
