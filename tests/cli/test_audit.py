"""`audit`: tables, JSON and CSV of made-up people, and of UTKFace if it is there."""

import csv
import io
import json
import sys

import numpy as np
import pandas as pd
import pytest

from fer_core.fairness.faces import AuditedFaces
from fer_core.sections.cards import model_text
from fer_core.store.stored_model import CONSISTENCY
from tests.cli.conftest import fails
from tests.fairness.people import write_people


@pytest.fixture
def people(tmp_path):
    return write_people(tmp_path / "people")


def test_json_csv_and_table_agree(fer, people):
    options = ("audit", people, "--whole-image", "--minimum", "1")
    document = json.loads(fer(*options, "--json").stdout)
    assert (document["faces"], document["labelled"], document["error_tree"]) == (2, True, None)
    gender = document["divisions"][0]
    assert (gender["by"], gender["groups"]) == ("gender", {"female": 1, "male": 1})
    rows = list(csv.DictReader(io.StringIO(fer(*options, "--csv").stdout)))
    assert {row["by"] for row in rows} >= {"gender", "age", "brightness"}
    (rate,) = [rate for rate in gender["rates"] if (rate["group"], rate["rate"]) == ("female", "accuracy")]
    (row,) = [row for row in rows if (row["by"], row["group"], row["rate"]) == ("gender", "female", "accuracy")]
    assert float(row["value"]) == rate["value"]
    shown = fer(*options, "--by", "gender,age").stdout
    assert "gender × age" in shown and "Recall" in shown and "p (Holm)" in shown


def test_the_text_has_whole_intervals_the_tree_and_the_limits_on_80_columns(fer, people, monkeypatch):
    rng = np.random.default_rng(4)
    n, bands = 400, ["0 to 9", "10 to 19", "20 to 39", "40 to 59", "60 or older"]
    labels, predicted = rng.integers(0, 7, (2, n))
    light = pd.DataFrame({"brightness": rng.normal(120, 20, n)})
    age = pd.DataFrame({"age": rng.choice(bands, n)})
    faces = AuditedFaces("Made up", "400 faces", predicted, labels, light, age, {"age": bands})
    command = sys.modules["fer_core.cli.audit"]  # the package gives this name to the function
    monkeypatch.setattr(command, "picture_faces", lambda *_: faces)
    monkeypatch.setattr(command.stdout, "width", 80)
    text = fer("audit", people, "--whole-image").stdout
    assert "…" not in text
    rate = faces.compare("age").rates.query("rate == 'accuracy' and group == '0 to 9'").iloc[0]
    assert f"{100 * rate['low']:.0f}–{100 * rate['high']:.0f}" in text
    assert "Where it fails most" in text and f"{faces.where_it_fails()['faces'].iloc[0]:,} faces" in text
    assert "A gap in predictions is not yet an error." in text


def test_what_is_kept_is_on_the_card_and_the_page(fer, people, mine):
    options = ("audit", people, "--whole-image", "--model", mine.name)
    assert mine.consistency().empty and "On changed faces" not in model_text(mine)
    document = json.loads(fer(*options, "--json", "--save", "Three people").stdout)
    kept = mine.consistency()
    assert set(kept["data"]) == {"Three people"}
    assert kept["value"].tolist() == [row["value"] for row in document["consistency"]]
    assert "on 2 faces of Three people" in model_text(mine)
    assert "Same prediction" in fer(*options).stdout
    (mine.folder / CONSISTENCY).write_text("no table")
    assert f"## On changed faces\n\nThe file {CONSISTENCY} of mine is damaged" in model_text(mine)
    assert "on 2 faces of" not in model_text(mine) and "## Limits" in model_text(mine)


def test_bad_input_is_one_sentence(fer, people, tmp_path):
    fails(
        fer,
        (("audit", tmp_path / "nowhere"), "no folder, zip or Parquet table"),
        (("audit", people, "--by", "shoe size", "--whole-image"), "Unknown division"),
        (("audit", people, "--csv", "--json"), "Choose one of"),
        (("audit", people), "None of the 2 pictures"),
    )
