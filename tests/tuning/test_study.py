"""A study's plan, table, importances, and the run that comes out of it; no fits here."""

from __future__ import annotations

from dataclasses import asdict, replace

import optuna
import pandas as pd
import pytest

from fer_core.models import model_spec
from fer_core.runs.data import DataSettings
from fer_core.runs.estimate import estimate
from fer_core.training.augmentation import Augmentation
from fer_core.training.recipe import recipe_for
from fer_core.tuning.plan import BUILD_SECONDS, TUNABLE, SearchSpace, TuningPlan, study_estimate, with_values
from fer_core.tuning.study import create_study, export_study, open_storage, open_study, read_study, study_names
from fer_core.types import FerError


def add(study, count, accuracy):
    """Add finished trials of which `accuracy(drawn)` tells how good they were."""
    study.seed_next()
    study.study.optimize(lambda trial: accuracy(study.plan.space.draw(trial)), n_trials=count)


def test_a_plan_survives_the_storage_and_studies_are_listed_newest_first(study, plan):
    storage = open_storage()
    assert open_study("first", storage).plan == plan
    assert TuningPlan.from_dict(asdict(plan)) == plan
    assert create_study(plan, storage).plan == plan
    with pytest.raises(FerError, match="with other settings"):
        create_study(replace(plan, epochs=5), storage)
    create_study(replace(plan, name="second"), storage)
    optuna.create_study(storage=storage, study_name="somebody else's")
    assert study_names(storage) == ["second", "first"]
    with pytest.raises(FerError, match=r"Existing: second, first. Received: third"):
        open_study("third", storage)


def test_what_decides_is_the_most_important(study, plan):
    with pytest.raises(FerError, match=r"once 8 trials have finished. So far: 0"):
        study.importance_chart()
    add(study, 14, lambda drawn: drawn["label_smoothing"])
    (bars,) = study.importance_chart().data
    shares = dict(zip(bars.y, bars.x, strict=True))
    assert max(shares, key=shares.get) == "Label smoothing" and shares["Label smoothing"] > 0.6
    assert sum(shares.values()) == pytest.approx(1)
    assert study.setting_chart("learning_rate").layout.xaxis.type == "log"
    accuracies = study.study.trials_dataframe()["value"]
    history = study.history_chart().data[0]
    assert (list(history.x), list(history.y)) == (study.trials()["trial"].tolist(), accuracies.tolist())
    equal = create_study(replace(plan, name="equal"), open_storage())
    add(equal, 8, lambda _: 0.5)
    with pytest.raises(FerError, match="same accuracy"):
        equal.importance_chart()


def test_the_best_becomes_a_full_run(study, plan):
    with pytest.raises(FerError, match="No trial of first has finished"):
        study.best_plan()
    add(study, 5, lambda drawn: drawn["learning_rate"])
    best, drawn = study.best_plan(), study.study.best_params
    assert best.recipe.peak_learning_rate == drawn["learning_rate"] == study.trials()["learning_rate"].max()
    assert (best.recipe.schedule, best.recipe.label_smoothing) == (drawn["schedule"], drawn["label_smoothing"])
    assert (best.recipe.epochs, best.recipe.ema) == (plan.recipe.epochs, plan.recipe.ema)
    assert best.data == DataSettings("fer2013", None)


def test_a_study_in_a_file_is_the_same_study(study, tmp_path):
    add(study, 9, lambda drawn: drawn["label_smoothing"])
    path = tmp_path / "study.jsonl"
    for _ in range(2):  # the second replaces the first
        export_study("first", open_storage(), path=path)
    assert path.stat().st_size < 50_000
    again = read_study(path)
    assert again.plan == study.plan and again.importance_chart() == study.importance_chart()
    pd.testing.assert_frame_equal(again.trials(), study.trials())
    (tmp_path / "empty.jsonl").touch()
    for damaged in ("empty", "other"):
        (tmp_path / "other.jsonl").write_text('{"a": 1}\n')
        with pytest.raises(FerError, match="is not a file of `fer-lab tune --export`"):
            read_study(tmp_path / f"{damaged}.jsonl")


def test_every_setting_reaches_model_and_recipe():
    spec = model_spec("vgg16_modified")
    drawn = {"learning_rate": 0.01, "schedule": "constant", "strength": 0.5, "open_layers": 2, "label_smoothing": 0.0}
    drawn["patience"] = 2
    changed, recipe = with_values(drawn, spec=spec, recipe=recipe_for(spec))
    assert changed == replace(spec, open_layers=2)
    assert recipe == replace(
        recipe_for(spec), peak_learning_rate=0.01, schedule="constant", label_smoothing=0.0,
        augmentation=Augmentation.of_strength(0.5, 48), early_stopping=2, ema=0.0,
    )  # fmt: skip


def test_a_single_number_is_fixed():
    space = SearchSpace((1e-4, 0.1), ("constant",), open_layers=(4,), patience=(2, 3))
    assert space.varied == ("learning_rate", "patience")
    assert space.fixed == {"schedule": "constant", "open_layers": 4}


def test_only_what_can_vary_varies():
    frozen = {"open_layers", "strength"}
    models = {"vgg16_modified": set(), "compact_cnn": {"open_layers"}, "mobilenetv2_frozen": frozen}
    for spec, left_out in ((model_spec(name), left_out) for name, left_out in models.items()):
        space = SearchSpace.around(spec, recipe_for(spec))
        assert set(TUNABLE) - set(space.varied) == left_out | {"patience"}, "patience only where it is asked for"
        assert SearchSpace.around(spec, recipe_for(spec), TUNABLE).patience == (0, 2, 5)
        assert space.learning_rate[0] < recipe_for(spec).peak_learning_rate < space.learning_rate[1]
        assert SearchSpace.around(spec, recipe_for(spec), ["schedule"]).varied == ("schedule",)


def test_an_estimate_counts_what_is_done_once_once(home, plan):
    frozen = model_spec("mobilenetv2_frozen")
    plan = replace(plan, spec=frozen, recipe=recipe_for(frozen), data=DataSettings("fer2013", 10_000))
    first, eleven = study_estimate(plan, 1), study_estimate(plan, 11)
    run = estimate(frozen, replace(plan.recipe, epochs=plan.epochs), faces=10_000)
    assert eleven.seconds - first.seconds == pytest.approx(10 * (BUILD_SECONDS + 3 * 4e-5 * 10_000))
    assert run.seconds < eleven.seconds < 11 * run.seconds
    assert eleven.basis == run.basis


def test_nonsense_is_refused(plan):
    spec = model_spec("compact_cnn")
    for make, message in (
        (SearchSpace, "at least one setting to vary"),
        (lambda: SearchSpace((0.1, 0.01)), "Learning rate: expected a lower and a higher"),
        (lambda: SearchSpace(strength=(0.0, 3.0)), "Strength of augmentation"),
        (lambda: SearchSpace(schedule=("cosine", "weekly")), "Expected schedules out of"),
        (lambda: SearchSpace(patience=(2, -1)), "Expected a patience of 0 epochs"),
        (lambda: SearchSpace.around(spec, recipe_for(spec), ["colour"]), "Received: colour"),
        (lambda: SearchSpace.around(spec, recipe_for(spec), ["open_layers"]), "at least one setting to vary"),
        (lambda: replace(plan, name="../up"), "not a valid study name"),
        (lambda: replace(plan, epochs=0), "at least one epoch"),
        (lambda: replace(plan, spec=model_spec("hog_linear")), "no settings to tune"),
        (lambda: TuningPlan.from_dict({"name": "a"}), "another version"),
    ):
        with pytest.raises(FerError, match=message):
            make()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nonsense", "is not valid"),
        ("sqlite:////proc/nowhere/tuning.db", "cannot be opened"),
        ("oracle+nodriver://me:secret@host/tuning", "cannot be opened"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/tuning", "cannot be opened: .*[Cc]onnection"),
        (None, r"cannot be opened: .*not a database"),
    ],
)
def test_a_database_that_cannot_be_had_is_explained(home, address, message):
    home.mkdir()
    (home / "tuning.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(FerError, match=message) as raised:
        open_storage(address)
    assert "secret" not in str(raised.value)
