"""One study from two processes, on SQLite and on a PostgreSQL server: one is killed, and the study ends whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_core.tuning.storage import default_storage, open_storage
from fer_core.tuning.study import STATES, create_study
from tests.tuning import postgresql
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
REQUESTED = 9

WORKER = """
import sys, time
import keras
keras.backend.clear_session = lambda: None  # takes longer than all the rest
keras.utils.set_random_seed = lambda _: None  # imports TensorFlow
from fer_core.tuning import storage
storage.HEARTBEAT_SECONDS, storage.GRACE_SECONDS = 1, 2
from fer_core.tuning import tune as module
from fer_core.tuning.study import open_study
from tests.tuning.test_storage import REQUESTED, data

sticks = len(sys.argv) > 2
begun = 0

def fit(network, spec, recipe, faces, holdout, callbacks):
    (report,) = callbacks
    report.set_params({"epochs": recipe.epochs})
    report.set_model(type("Model", (), {"stop_training": False})())
    global begun
    begun += 1
    if sticks and begun == 3:
        print("sticks", report.trial.number + 1, flush=True)
        time.sleep(600)
    if not sticks and begun == 1:
        sys.stdin.readline()  # the other is to have three trials, however late it comes
    for epoch in range(recipe.epochs):
        time.sleep(0.05)
        report.on_epoch_end(epoch, {"loss": 1.0, "val_accuracy": 0.5 + recipe.label_smoothing})
    return {"val_accuracy": [0.5 + recipe.label_smoothing], "val_loss": [1.0]}

module.fit, module.initial_network = fit, lambda *_: None
module.tune(open_study("first", storage.open_storage(sys.argv[1])), REQUESTED, data(), lambda text: print(text))
"""


def data():
    from fer_core.training.data import TrainingData
    from tests.tuning.conftest import made_faces

    return TrainingData(made_faces(112, 0), made_faces(28, 1))


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, home: Path) -> Iterator[str]:
    if request.param == "sqlite":
        home.mkdir()
        yield default_storage()
    else:
        with postgresql.running() as url:
            yield url


def test_a_study_survives_a_killed_process(address, plan):
    """Each trial counts once; the killed one does not count, another takes its place, and there is none too many."""
    study = create_study(plan, open_storage(address))
    # NumPy is imported faster than the other backends, and nothing is fitted
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "numpy"}
    command = [sys.executable, "-c", WORKER, address]
    victim = subprocess.Popen([*command, "sticks"], env=environment, stdout=subprocess.PIPE, text=True)
    other = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        number = next(int(line.split()[1]) for line in victim.stdout if line.startswith("sticks"))
        other.stdin.write("\n")
        other.stdin.flush()
        until(lambda: study.ended() > 3)
        assert study.trials()["state"][number - 1] == "working"
        victim.kill()
        victim.wait()
        said, _ = other.communicate(timeout=60)
    finally:
        victim.kill()
        other.kill()
    assert other.returncode == 0, said
    table = study.trials()
    assert study.ended() == REQUESTED
    assert table["trial"].tolist() == list(range(1, REQUESTED + 2))
    assert table.loc[table["state"] == "cut off", "trial"].tolist() == [number]
    kept = table[table["state"] != "cut off"]
    assert set(kept["state"]) <= {"finished", "stopped early"}
    assert kept["accuracy"].tolist() == pytest.approx((0.5 + kept["label_smoothing"]).tolist())
    assert table["learning_rate"].nunique() == REQUESTED + 1  # no two processes sample the same values
    workers = [trial.user_attrs["where"] for trial in study.study.get_trials(deepcopy=False)]
    assert workers.count(workers[number - 1]) == 3  # two whole trials of the killed process count
    assert len(set(workers)) == 2
    assert STATES[study.best().state] == "finished"
