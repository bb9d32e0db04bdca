"""The Tuning tab of the Fine-tune page: from the first study to the run with the best settings."""

from __future__ import annotations

import sys

import pytest

from fer_core.columns import percent
from fer_core.models import model_spec
from fer_core.runs.data import DataSettings
from fer_core.runs.run import list_runs
from fer_core.training.recipe import recipe_for
from fer_core.tuning import worker
from fer_core.tuning.plan import SearchSpace, TuningPlan
from fer_core.tuning.study import TuningStudy, create_study, export_study, open_storage, open_study
from pages.parts.tuning import PAPERS
from tests.app.conftest import said


@pytest.fixture(autouse=True)
def started(monkeypatch):
    """Which processes were to be started: none is."""
    calls = []
    monkeypatch.setattr(worker, "start", lambda name, trials: calls.append((name, trials)))
    monkeypatch.setattr("fer_core.jobs.start", lambda *_, **__: None)
    return calls


def made_study(name: str, trials: int) -> TuningStudy:
    """A study whose trials are the better the lower their label smoothing is."""
    spec = model_spec("mobilenetv2_frozen")
    recipe = recipe_for(spec)
    plan = TuningPlan(name, spec, recipe, DataSettings("fer2013", 500), 4, SearchSpace.around(spec, recipe))
    study = create_study(plan, open_storage())
    study.request(20)
    study.study.optimize(lambda trial: 0.6 - plan.space.draw(trial)["label_smoothing"], n_trials=trials)
    return study


def test_the_first_study_is_made_and_started(page, started):
    app = page(f_tab="Tuning")
    app.pills[0].set_value([]).run()
    assert "at least one setting" in app.warning[0].value
    assert "t_go" not in [button.key for button in app.button]
    app.selectbox(key="t_model").set_value("mobilenetv2_frozen").run()
    app.number_input(key="t_trials").set_value(12)
    app.pills[0].set_value(["learning_rate"]).run()
    app.button(key="t_go").click().run()
    assert started == [("mobilenetv2_frozen_1", 12)]
    study = open_study("mobilenetv2_frozen_1", open_storage())
    assert study.plan.space.varied == ("learning_rate",)
    assert (study.requested, study.plan.data.faces) == (12, 3000)
    assert app.selectbox(key="t_study").value == "mobilenetv2_frozen_1"
    assert app.button(key="t_more").label == "Continue to 12 trials"


def test_a_link_opens_a_study_whose_best_becomes_a_run(page, started, own_home):
    study = made_study("one", 12)
    made_study("two", 2)
    folder = own_home / "tuning" / "two"
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text("Starting\nError: FER2013 is not here.\n")
    other = page(f_tab="Tuning")
    assert other.selectbox(key="t_study").value == "two"
    for part in ("once 8 trials have finished. So far: 2", "FER2013 is not here."):
        assert part in said(other)
    app = page(f_tab="Tuning", t_study="one")
    best = study.best()
    assert f"Best: trial {best.number + 1} with {percent(best.value, '.1%')} of the hold-out" in said(app)
    assert len(app.get("plotly_chart")) == 3
    assert len(app.dataframe[0].value) == 12
    app.button(key="t_more").click().run()
    assert started == [("one", 20)]
    app.button(key="t_train").click().run()
    (run,) = list_runs()[0]
    assert run.plan == study.best_plan()
    assert run.plan.data.faces is None
    assert app.session_state["f_tab"] == "Runs"


def test_a_study_at_work_shows_how_far_it_is_and_can_be_stopped(page, monkeypatch):
    study = made_study("one", 3)
    study.study.ask().report(0.4, 0)
    monkeypatch.setattr(worker, "working", lambda _: True)
    stopped = []
    monkeypatch.setattr(worker, "stop", stopped.append)
    app = page(f_tab="Tuning")
    bar = app.get("progress")[0].proto
    assert (bar.value, bar.text) == (15, "3 of 20 trials: trial 4 after epoch 1 of 4")
    app.button(key="t_stop").click().run()
    assert stopped == ["one"]


def test_the_stored_study_is_shown_and_its_chart_on_compare(page, open_app, three, tmp_path, monkeypatch):
    for module in ("pages.parts.tuning", "fer_core.tuning.plan"):
        monkeypatch.setattr(f"{module}.STORED", tmp_path / "stored.jsonl")
    study = made_study("one", 9)
    export_study("one", open_storage(), path=tmp_path / "stored.jsonl")
    app = page(f_tab="Tuning", t_study=PAPERS)
    best = f"Best: trial {study.best().number + 1} with {percent(study.best().value, '.1%')} of the hold-out"
    assert best in said(app)
    assert "t_more" not in [button.key for button in app.button]
    assert len(app.dataframe[0].value) == 9
    app = open_app("compare", c_section="Paper")
    assert best in said(app)
    assert f"9 trials of {study.plan.spec.title}, each at most 4 epochs on 500 faces" in said(app)
    monkeypatch.setitem(sys.modules, "optuna", None)
    app = open_app("compare", c_section="Paper")
    assert best not in said(app)
    assert "Where the paper contradicts itself" in said(app), "the rest of the page needs no Optuna"


def test_a_broken_database_is_one_sentence(page, own_home):
    own_home.mkdir(exist_ok=True)
    (own_home / "tuning.db").write_bytes(b"no database" * 1000)
    assert "cannot be opened" in said(page(f_tab="Tuning"))
