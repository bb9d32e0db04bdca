from __future__ import annotations

import pytest

from fer_core.figures import AccuracyInterval, accuracy_intervals

MEASURED = [
    AccuracyInterval("Compact CNN", "PublicTest", 0.66, 0.645, 0.675),
    AccuracyInterval("Compact CNN", "PrivateTest", 0.67, 0.655, 0.685),
    AccuracyInterval("Another", "PublicTest", 0.55, 0.53, 0.57),
]


def test_models_and_splits_keep_their_order():
    layers = accuracy_intervals(MEASURED).to_dict()["layer"]
    assert [layer["mark"]["type"] for layer in layers] == ["rule", "point", "text"]
    encoding = layers[1]["encoding"]
    assert encoding["y"]["sort"] == ["Compact CNN", "Another"]
    assert encoding["yOffset"]["sort"] == ["PublicTest", "PrivateTest"]


def test_numbers_are_shown_as_given():
    chart = accuracy_intervals(MEASURED).to_dict()
    (rows,) = chart["datasets"].values()
    assert [(row["accuracy"], row["low"], row["high"]) for row in rows] == [
        (row.accuracy, row.low, row.high) for row in MEASURED
    ]
    assert [row["words"] for row in rows] == ["66.0 %", "67.0 %", "55.0 %"]


def test_axis_holds_everything_references_too():
    layers = accuracy_intervals(MEASURED, {"a known result": 0.4}).to_dict()["layer"]
    low, high = layers[0]["encoding"]["x"]["scale"]["domain"]
    assert low < 0.4
    assert high > 0.685
    assert layers[0]["mark"]["strokeDash"]


def test_height_grows_with_the_models():
    assert accuracy_intervals(MEASURED).to_dict()["height"] > accuracy_intervals(MEASURED[:2]).to_dict()["height"]


def test_nothing_measured():
    with pytest.raises(ValueError, match="at least one measured accuracy"):
        accuracy_intervals([])
