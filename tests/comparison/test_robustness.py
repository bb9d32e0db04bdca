"""Results on degraded faces, against means taken by hand from made-up tables."""

from __future__ import annotations

import pandas as pd
import pytest

from fer_core.faces import DEGRADATIONS
from fer_core.measuring.robustness import (
    mean_corruption_accuracy,
    robustness_curves,
    robustness_summary,
    robustness_table,
)
from fer_core.measuring.scoreboard import scoreboard_table
from fer_core.metrics.core import measure_models
from fer_core.store.folders import promoted
from fer_core.store.stored_model import DEGRADED
from fer_core.types import FerError
from tests.made_up_store import add_model, degraded_table


@pytest.fixture
def table(models):
    degraded_table(0.5).to_csv(models[0].folder / DEGRADED, index=False)
    return robustness_table(models)[0]


def test_every_model_has_its_26_rows(models, table):
    assert table.groupby("name").size().to_dict() == {"able": 26, "fair": 26, "weak": 26}
    retitled, without, complaints = robustness_table(models, {"fair": "Fair (fair)"})
    assert set(retitled["model"]) == {"The able one", "Fair (fair)", "The weak one"}
    assert (without, complaints) == ([], [])


def test_the_mean_is_over_the_25_degraded_rows(table):
    # strengths 1 to 5 lose one to five tenths: on average 0.5 * 0.7
    assert mean_corruption_accuracy(table)["able"] == pytest.approx(0.35)
    more = table.copy()
    more.loc[(more["name"] == "able") & (more["kind"] == "blur") & (more["strength"] == 1), "accuracy"] += 0.25
    more.loc[(more["name"] == "able") & (more["kind"] == "clean"), "accuracy"] = 0
    assert mean_corruption_accuracy(more)["able"] == pytest.approx(0.36)
    assert mean_corruption_accuracy(table.head(0)).empty


def test_the_summary_has_a_row_for_each_model_and_the_best_first(table):
    summary = robustness_summary(table)
    assert summary["name"].tolist() == ["fair", "able", "weak"]  # 0.6, 0.5 and 0.4 when clean
    able = summary[summary["name"] == "able"].iloc[0]
    assert able[["clean", "degraded", *DEGRADATIONS]].tolist() == pytest.approx([0.5] + [0.35] * 6)
    assert (able["confidence"], able["faces"]) == (pytest.approx(0.5), 1000)


def test_curves_of_one_kind_start_at_the_clean_faces(table):
    curves = robustness_curves(table, "resolution")
    able = curves[curves["name"] == "able"]
    assert able["words"].tolist() == ["clean", "32", "24", "16", "12", "8"]
    assert able["accuracy"].tolist() == pytest.approx([0.5, 0.45, 0.4, 0.35, 0.3, 0.25])
    assert set(curves["kind"]) == {"clean", "resolution"}


def test_what_the_annotators_chose_can_count_instead(models):
    table = degraded_table(0.5)
    table.assign(accuracy_plurality=float("nan"), faces_plurality=0).to_csv(models[1].folder / DEGRADED, index=False)
    found, without, _ = robustness_table(models, by="plurality")
    assert without == ["The fair one"]
    able = found[found["name"] == "able"].reset_index(drop=True)
    assert able["accuracy"].tolist() == pytest.approx(models[0].degraded()["accuracy_plurality"].tolist())
    assert able["low"].tolist() == pytest.approx(models[0].degraded()["low_plurality"].tolist())
    assert set(able["faces"]) == {900}
    with pytest.raises(FerError, match=r"Expected by to be one of label, plurality\. Received: votes"):
        robustness_table(models, by="votes")


def test_models_without_results_and_unusable_ones_are_named(models, answers):
    (models[0].folder / "degraded.csv").write_bytes(b"no")
    degraded_table(0.5).head(20).to_csv(models[1].folder / DEGRADED, index=False)
    bare = add_model(promoted(), "bare", degraded=False)
    table, without, complaints = robustness_table([*models, bare])
    assert set(table["name"]) == {"weak"}
    assert without == ["The bare one"]
    assert len(complaints) == 2
    assert "degraded.csv of able is damaged" in complaints[0]
    assert "fair on degraded faces are left out: they are of other kinds or strengths" in complaints[1]
    board = scoreboard_table(answers, measure_models(answers), models).set_index("name")
    assert board["degraded_accuracy"].isna().to_dict() == {"able": True, "fair": True, "weak": False}


def test_the_scoreboard_has_the_mean(models, answers, table):
    board = scoreboard_table(answers, measure_models(answers), models).set_index("name")
    assert board.loc["able", "degraded_accuracy"] == pytest.approx(0.35)


def test_no_results_at_all(home):
    table, without, _ = robustness_table([add_model(promoted(), "bare", degraded=False)])
    assert isinstance(table, pd.DataFrame)
    assert table.empty
    assert without == ["The bare one"]
