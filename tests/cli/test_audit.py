"""`audit`: tables, JSON and CSV of made-up people, and of UTKFace if it is there."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.audit.people import write_people


@pytest.fixture
def people(tmp_path):
    return write_people(tmp_path / "people")


def test_json_csv_and_table_agree(fer, people):
    options = ("audit", people, "--whole-image", "--minimum", "1")
    result = fer(*options, "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert (document["faces"], document["labelled"], document["error_tree"]) == (2, True, None)
    gender = document["divisions"][0]
    assert (gender["by"], gender["groups"]) == ("gender", {"female": 1, "male": 1})
    rows = list(csv.DictReader(io.StringIO(fer(*options, "--csv").stdout)))
    assert {row["by"] for row in rows} >= {"gender", "age", "brightness"}
    accuracy = [one for one in gender["rates"] if (one["group"], one["rate"]) == ("female", "accuracy")]
    (row,) = [r for r in rows if (r["by"], r["group"], r["rate"]) == ("gender", "female", "accuracy")]
    assert float(row["value"]) == accuracy[0]["value"]
    shown = fer(*options, "--by", "gender,age")
    assert "gender × age" in shown.stdout
    assert "Recall" in shown.stdout and "p (Holm)" in shown.stdout


def test_bad_input_is_one_sentence(fer, people, tmp_path):
    for words, expected in (
        (("audit", tmp_path / "nowhere"), "no folder, zip or Parquet table"),
        (("audit", people, "--by", "shoe size", "--whole-image"), "Unknown division"),
        (("audit", people, "--csv", "--json"), "Choose one of"),
        (("audit", people), "None of the 2 pictures"),
    ):
        result = fer(*words)
        assert result.exit_code == 1
        assert expected in result.stderr
        assert "Traceback" not in result.stderr
