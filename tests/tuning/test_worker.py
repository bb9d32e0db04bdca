"""Trials: which accuracy counts, which are stopped early, and that failures lose nothing."""

from __future__ import annotations

import math
from dataclasses import asdict, replace

import pytest

from fer_core.runs.status import NO_MEMORY, Status, write_status
from fer_core.tuning import worker
from fer_core.tuning.plan import TuningPlan, default_storage
from fer_core.tuning.study import create_study, open_storage, open_study
from fer_core.tuning.worker import DIVERGED, tune
from fer_core.types import FerError
from tests.waiting import until


@pytest.mark.slow
def test_a_real_fit_tells_good_rates_from_bad_ones(study, data):
    """Real trials: one rate that learns, one that is too small to; then one that tears the weights apart."""
    for rate in (0.02, 1e-4):
        study.study.enqueue_trial({"learning_rate": rate, "schedule": "constant", "label_smoothing": 0.0})
    seen = []
    tune(study, 2, data=data, on_epoch=lambda *epoch: seen.append(epoch))
    assert [epoch[:2] for epoch in seen] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    table = study.trials()
    assert list(table["state"]) == ["finished", "finished"]
    assert table["accuracy"].tolist() == [seen[2][2], seen[5][2]]
    assert study.best().number == 0
    assert table["accuracy"][0] > 0.9 > table["accuracy"][1]


def test_the_best_is_the_highest_of_the_last_epochs(study, data, curves):
    accuracies = iter([[0.2, 0.9, 0.3], [0.3, 0.4, 0.6], [0.3, 0.4, 0.5], [0.3, 0.4, 0.6]])
    curves(lambda *_: next(accuracies))
    tune(study, 4, data=data)
    assert study.trials()["accuracy"].tolist() == [0.3, 0.6, 0.5, 0.6]
    assert study.best().number == 1


def test_early_stopping_counts_the_epoch_that_is_kept(home, plan, data, curves):
    patient = replace(plan, recipe=replace(plan.recipe, early_stopping=1, ema=0.0))
    study = create_study(patient, open_storage())
    curves(lambda *_: [0.4, 0.7, 0.6])
    tune(study, 1, data=data)
    assert study.best().value == 0.7


def test_what_is_behind_the_others_is_stopped_early(study, data, curves):
    curves(lambda _, recipe: [0.5, 0.6, 0.7] if recipe.label_smoothing < 0.19 else [0.1, 0.1, 0.1])
    settings = {"learning_rate": 0.01, "schedule": "cosine", "label_smoothing": 0.1}
    for smoothing in (0.1, 0.1, 0.1, 0.1, 0.2):
        study.study.enqueue_trial({**settings, "label_smoothing": smoothing})
    tune(study, 5, data=data)
    last = study.trials().iloc[-1]
    assert (last["state"], last["epochs"], last["accuracy"]) == ("stopped early", 2, 0.1)
    assert study.best().value == 0.7


def test_a_loss_without_bound_ends_the_trial(study, data, curves):
    accuracies = iter([[math.nan, 0.9, 0.9], [0.3, 0.3, 0.3]])
    curves(lambda *_: next(accuracies))
    tune(study, 2, data=data)
    assert list(study.trials()["state"]) == ["stopped early", "finished"]
    assert study.trials()["note"][0] == DIVERGED
    assert study.best().value == 0.3


def test_a_broken_trial_is_recorded_and_the_study_goes_on(study, data, curves):
    outcomes = iter([[0.4] * 3, MemoryError(), FerError("The weights are gone."), [0.5] * 3])

    def next_outcome(*_):
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    curves(next_outcome)
    messages = []
    tune(study, 4, data=data, say=messages.append)
    assert list(study.trials()["state"]) == ["finished", "failed", "failed", "finished"]
    assert study.trials()["note"][1] == NO_MEMORY
    assert study.trials()["note"][2] == "The weights are gone."
    assert "Trial 3 failed. The weights are gone." in messages


def test_a_study_that_only_fails_ends(study, data, curves):
    def broken(*_):
        raise FerError("The weights are gone.")

    curves(broken)
    with pytest.raises(FerError, match=r"first 3 trials failed.*The weights are gone"):
        tune(study, 20, data=data)
    assert study.ended() == 3


def test_interrupted_it_keeps_what_has_ended_and_goes_on(study, plan, data, curves):
    outcomes = iter([[0.4] * 3, KeyboardInterrupt(), [0.6] * 3, [0.5] * 3])

    def next_outcome(*_):
        outcome = next(outcomes)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    asked = curves(next_outcome)
    with pytest.raises(KeyboardInterrupt):
        tune(study, 4, data=data)
    again = open_study("first", open_storage())
    assert list(again.trials()["state"]) == ["finished", "cut off"]
    assert again.ended() == 1
    tune(again, 3, data=data)
    assert list(again.trials()["accuracy"].dropna()) == [0.4, 0.6, 0.5]
    assert again.requested == 3
    rates = [recipe.peak_learning_rate for _, recipe in asked]
    assert len(set(rates)) == 4  # the resumed part does not draw the first values again
    with pytest.raises(FerError, match="has 3 trials already"):
        tune(again, 3, data=data)


def test_trials_are_as_the_plan_says(study, plan, data, curves):
    asked = curves(lambda *_: [0.4] * 3)
    tune(study, 6, data=data)
    for spec, recipe in asked:
        assert spec == plan.spec
        assert recipe.epochs == 3
        assert 1e-4 <= recipe.peak_learning_rate <= 0.1
        assert recipe.schedule in ("cosine", "constant")
        assert 0 <= recipe.label_smoothing <= 0.2
        assert recipe.ema == plan.recipe.ema
    assert len({recipe.peak_learning_rate for _, recipe in asked}) == 6


def test_the_same_seed_draws_the_same(home, plan, data, curves):
    def rates(name: str, seed: int, trials: int) -> list[float]:
        asked = curves(lambda _, recipe: [recipe.label_smoothing] * 3)
        tune(create_study(replace(plan, name=name, seed=seed), open_storage()), trials, data=data)
        return [recipe.peak_learning_rate for _, recipe in asked]

    first = rates("a", 1, 8)
    assert rates("b", 1, 8) == first
    assert rates("c", 2, 1) != first[:1]


def test_other_faces_are_refused(study, data, curves):
    from tests.tuning.conftest import made_faces

    curves(lambda *_: [0.4] * 3)
    tune(study, 1, data=data)
    with pytest.raises(FerError, match="learned from other faces"):
        tune(study, 2, data=type(data)(made_faces(112, 5), data.holdout))


def test_runs_go_first(study, data, curves, home, monkeypatch):
    from fer_core.files import write_json
    from fer_core.jobs import claim
    from fer_core.runs.run import PLAN, RunPlan

    plan: TuningPlan = study.plan
    folder = home / "runs" / "other"
    folder.mkdir(parents=True)
    run_plan = RunPlan("Other", plan.spec, plan.recipe, plan.data)
    write_json(folder / PLAN, {"created": 1.0, **asdict(run_plan)})
    write_status(folder, Status("fitting", "Fitting."))
    claim(folder)
    waited = []

    def wait(_: float) -> None:
        waited.append(study.ended())
        if len(waited) == 3:
            write_status(folder, Status("finished", "Finished."))

    monkeypatch.setattr(worker.time, "sleep", wait)
    curves(lambda *_: [0.4] * 3)
    messages = []
    tune(study, 2, data=data, say=messages.append)
    assert waited == [0, 0, 0]
    assert messages[0] == "Waiting until no run is working or waiting."


def test_a_study_that_is_asked_to_stop_ends_at_the_next_trial(study, data, curves):
    asked = curves(lambda *_: [0.4] * 3)
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
