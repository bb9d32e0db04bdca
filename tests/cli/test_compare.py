"""`compare`: gains between stored models."""

from __future__ import annotations

import json

import pytest

from fer_core.store.folders import DEFAULT_MODEL, load_model


def test_the_parts_on_the_holdout_are_those_of_the_card(fer, home, fer2013_path, ferplus_path, monkeypatch):
    monkeypatch.setenv("FERPLUS_PATH", str(ferplus_path))
    result = fer("compare", DEFAULT_MODEL, f"compact_cnn,{DEFAULT_MODEL}", "--data", fer2013_path, "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["on"], answer["faces"]) == ("holdout", 2669)
    first, other = (load_model(name).card.served["holdout_score"] for name in (DEFAULT_MODEL, "compact_cnn"))
    for row in answer["parts"]:
        assert row["first"] == pytest.approx(first[row["part"]], abs=2e-3)
        assert row["second"] == pytest.approx((first[row["part"]] + other[row["part"]]) / 2, abs=2e-3)
        assert row["low"] <= row["difference"] <= row["high"]


def test_without_such_a_model_there_is_a_sentence(fer, home):
    result = fer("compare", DEFAULT_MODEL, "nobody")
    assert result.exit_code == 1
    assert "nobody" in result.stderr
    assert fer("compare", DEFAULT_MODEL).exit_code == 2
