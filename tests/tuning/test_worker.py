"""Trials: which accuracy counts, which are stopped early, and that failures lose nothing."""

import math
from dataclasses import replace

import pytest

from fer_core.jobs import claim
from fer_core.runs.status import NO_MEMORY, Status, write_status
from fer_core.tuning import worker
from fer_core.tuning.plan import default_storage
from fer_core.tuning.study import create_study, open_storage, open_study
from fer_core.tuning.worker import DIVERGED, tune
from fer_core.types import FerError
from tests.app.made_up_runs import made_run
from tests.training.conftest import made_faces
from tests.waiting import until


@pytest.mark.slow
def test_a_real_fit_learns_and_its_last_epoch_counts(study, data):
    study.study.enqueue_trial({"learning_rate": 0.02, "schedule": "constant", "label_smoothing": 0.0})
    seen = []
    tune(study, 1, data=data, on_epoch=lambda *epoch: seen.append(epoch))
    assert [epoch[:2] for epoch in seen] == [(1, 1), (1, 2), (1, 3)]
    assert (study.trials()["state"][0], study.best().value) == ("finished", seen[2][2])
    assert study.best().value > 0.9


def test_the_best_is_the_highest_of_the_last_epochs_or_of_those_kept(study, plan, data, curves):
    curves([[0.2, 0.9, 0.3], [0.3, 0.4, 0.6], [0.3, 0.4, 0.5], [0.3, 0.4, 0.6]])
    tune(study, 4, data=data)
    assert study.trials()["accuracy"].tolist() == [0.3, 0.6, 0.5, 0.6]
    assert study.best().number == 1
    recipe = replace(plan.recipe, early_stopping=1, ema=0.0)
    patient = create_study(replace(plan, name="patient", recipe=recipe), open_storage())
    curves([[0.4, 0.7, 0.6]])
    tune(patient, 1, data=data)
    assert patient.best().value == 0.7


def test_what_is_behind_the_others_is_stopped_early(study, data, curves):
    curves(lambda recipe: [0.5, 0.6, 0.7] if recipe.label_smoothing < 0.19 else [0.1, 0.1, 0.1])
    settings = {"learning_rate": 0.01, "schedule": "cosine"}
    for smoothing in (0.1, 0.1, 0.1, 0.1, 0.2):
        study.study.enqueue_trial({**settings, "label_smoothing": smoothing})
    tune(study, 5, data=data)
    last = study.trials().iloc[-1]
    assert (last["state"], last["epochs"], last["accuracy"]) == ("stopped early", 2, 0.1)
    assert study.best().value == 0.7


def test_a_broken_or_diverged_trial_is_recorded_and_the_study_goes_on(study, data, curves):
    curves([[0.4] * 3, MemoryError(), FerError("The weights are gone."), [math.nan, 0.9, 0.9], [0.5] * 3])
    messages = []
    tune(study, 5, data=data, say=messages.append)
    table = study.trials()
    assert list(table["state"]) == ["finished", "failed", "failed", "stopped early", "finished"]
    assert table["note"][1:4].tolist() == [NO_MEMORY, "The weights are gone.", DIVERGED]
    assert "Trial 3 failed. The weights are gone." in messages
    assert study.best().value == 0.5


def test_a_study_that_only_fails_ends(study, data, curves):
    curves([FerError("The weights are gone.")] * 20)
    with pytest.raises(FerError, match=r"first 3 trials failed.*The weights are gone"):
        tune(study, 20, data=data)
    assert study.ended() == 3


def test_interrupted_it_keeps_what_has_ended_and_goes_on(study, data, curves):
    asked = curves([[0.4] * 3, KeyboardInterrupt(), [0.6] * 3, [0.5] * 3])
    with pytest.raises(KeyboardInterrupt):
        tune(study, 4, data=data)
    again = open_study("first", open_storage())
    assert list(again.trials()["state"]) == ["finished", "cut off"]
    assert again.ended() == 1
    tune(again, 3, data=data)
    assert list(again.trials()["accuracy"].dropna()) == [0.4, 0.6, 0.5]
    assert again.requested == 3
    assert len({recipe.peak_learning_rate for _, recipe in asked}) == 4, "it does not draw the first values again"
    with pytest.raises(FerError, match="has 3 trials already"):
        tune(again, 3, data=data)
    with pytest.raises(FerError, match="learned from other faces"):
        tune(again, 4, data=replace(data, training=made_faces(112, 5)))


def test_trials_are_as_the_plan_says_and_the_same_seed_draws_the_same(home, plan, data, curves):
    def rates(name: str, seed: int, trials: int) -> list[float]:
        asked = curves(lambda recipe: [recipe.label_smoothing] * 3)
        tune(create_study(replace(plan, name=name, seed=seed), open_storage()), trials, data=data)
        for spec, recipe in asked:
            assert (spec, recipe.epochs, recipe.ema) == (plan.spec, 3, plan.recipe.ema)
            assert 1e-4 <= recipe.peak_learning_rate <= 0.1 and 0 <= recipe.label_smoothing <= 0.2
            assert recipe.schedule in ("cosine", "constant")
        return [recipe.peak_learning_rate for _, recipe in asked]

    first = rates("a", 1, 4)
    assert len(set(first)) == 4
    assert rates("b", 1, 4) == first
    assert rates("c", 2, 1) != first[:1]


def test_runs_go_first(study, data, curves, monkeypatch):
    folder = made_run("fitting").folder
    claim(folder)
    waited = []

    def wait(_: float) -> None:
        waited.append(study.ended())
        if len(waited) == 3:
            write_status(folder, Status("finished", "Finished."))

    monkeypatch.setattr(worker.time, "sleep", wait)
    curves(lambda _: [0.4] * 3)
    messages = []
    tune(study, 2, data=data, say=messages.append)
    assert waited == [0, 0, 0]
    assert messages[0] == "Waiting until no run is working or waiting."


def test_a_study_that_is_asked_to_stop_ends_at_the_next_trial(study, data, curves):
    asked = curves(lambda _: [0.4] * 3)
    with pytest.raises(KeyboardInterrupt):
        tune(study, 4, data=data, stop_asked=lambda: len(asked) == 2)
    assert list(study.trials()["state"]) == ["finished", "finished", "cut off"]
    assert study.ended() == 2


def test_a_study_runs_in_the_background_and_stops(study, monkeypatch):
    """The real job: without FER2013 it ends with a message; while it is working it can be stopped."""
    monkeypatch.setenv("FER_TUNING_STORAGE", default_storage())
    worker.start("first", 2)
    with pytest.raises(FerError, match="is already working on first"):
        worker.start("first", 2)
    until(lambda: not worker.working("first"))
    assert "Error: FER2013" in worker.log("first", 1)
    assert study.ended() == 0
    with pytest.raises(FerError, match="not a valid study name"):
        worker.working("../first")
