"""Bars of how many faces there are, and curves that still grow."""

from __future__ import annotations

import pandas as pd

from fer_core.comparison import training_curves
from fer_core.figures import class_counts, training_chart
from fer_core.labels import COLORS, EXPRESSIONS


def counts(**parts: list[int]) -> pd.DataFrame:
    return pd.DataFrame(parts, index=pd.Index(EXPRESSIONS, name="expression"))


def test_every_expression_has_its_colour_and_its_number():
    drawn = class_counts(counts(training=[1, 0, 3, 4000, 5, 6, 7], holdout=[1] * 7)).to_dict()
    bars, words = drawn["layer"]
    assert bars["encoding"]["color"]["scale"]["range"] == list(COLORS.values())
    said = drawn["datasets"][words["data"]["name"]]
    assert [row["words"] for row in said] == ["1 + 1", "0 + 1", "3 + 1", "4,000 + 1", "5 + 1", "6 + 1", "7 + 1"]
    faces = drawn["datasets"][bars["data"]["name"]]
    assert len(faces) == 14
    assert sum(row["faces"] for row in faces) == 4029


def test_one_part_and_no_face_at_all():
    drawn = class_counts(counts(snapshots=[0] * 7)).to_dict()
    assert drawn["layer"][0]["encoding"]["x"]["scale"]["domain"][1] > 0


def test_growing_curves_keep_their_axis_and_mark_every_epoch():
    history = pd.DataFrame({"epoch": [0, 1], "loss": [1.9, 1.7], "accuracy": [0.2, 0.3], "val_accuracy": [0.25, 0.26]})
    curves = training_curves(history, "A run", "run-1")
    assert curves["epoch"].tolist() == [1, 2] * 3
    assert set(curves[curves["what"] == "accuracy"]["faces"]) == {"training", "hold-out"}
    growing, whole = (training_chart(curves, "accuracy", epochs).to_dict() for epochs in (15, None))
    assert growing["layer"][0]["encoding"]["x"]["scale"]["domain"] == [1, 15]
    assert [layer["mark"]["type"] for layer in growing["layer"]] == ["line", "point"]
    assert len(growing["datasets"][growing["data"]["name"]]) == 4
    assert "scale" not in whole["layer"][0]["encoding"]["x"]


def test_a_run_without_an_epoch_has_no_curves():
    assert training_curves(pd.DataFrame(), "A run", "run-1").empty
