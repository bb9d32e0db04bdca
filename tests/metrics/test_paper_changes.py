"""What each change gains, from predictions and from a made-up file of small trainings."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_core.metrics import paper_changes as module
from fer_core.metrics.paper import CHANGES
from fer_core.metrics.paper_changes import changes_in_prose, changes_table, paper_changes
from fer_core.models import model_spec
from tests.metrics.test_paper_claims import N, predicted

SMALL = {"mobilenetv2_frozen": 0.4, "mobilenetv2_frozen_clahe": 0.5, "mobilenetv2_frozen_equalize": 0.4}


@pytest.fixture
def trials(monkeypatch, tmp_path):
    """Write predictions of three seeds for each model of `SMALL`, right on its share of the faces."""

    def write(labels, seeds: int = 3):
        lines = ["name,seed,predicted"]
        for number, (name, share) in enumerate(SMALL.items()):
            for seed in range(seeds):
                wrong = np.random.default_rng([number, seed]).random(N) > share
                lines.append(f"{name},{seed},{''.join(map(str, (labels + wrong) % 7))}")
        file = tmp_path / "trials.csv"
        file.write_text("\n".join(lines))
        monkeypatch.setattr(module, "TRIALS_FILE", file)

    return write


def rows(changes: pd.DataFrame) -> pd.DataFrame:
    """Return the changes by name; of those with the same one, the last."""
    return changes.drop_duplicates("change", keep="last").set_index("change")


def test_small_trainings_count_with_all_their_seeds(trials):
    answers = predicted(any=1.0)
    order = np.random.default_rng(5).permutation(N)
    trials(answers.labels)  # digits are in the order of the rows
    shuffled = replace(answers.of_faces(order), rows=order)
    clahe, equalized = (rows(paper_changes(shuffled)).loc[name] for name in ("CLAHE", "histogram equalisation"))
    assert (clahe["verdict"], clahe["seeds"], clahe["n"]) == ("helps", 3, N)
    assert clahe["difference"] == pytest.approx(0.1, abs=0.02)
    assert clahe["accuracy"] == pytest.approx(0.5, abs=0.02)
    half = 1.96 * np.sqrt(0.25 / N)  # of one training; three have less between them
    assert 0.5 * half < (clahe["accuracy_high"] - clahe["accuracy_low"]) / 2 < 1.3 * half
    assert equalized["verdict"] == "cannot be told" and equalized["difference_low"] < 0 < equalized["difference_high"]
    trials(answers.labels, seeds=2)
    assert rows(paper_changes(shuffled)).loc["CLAHE", "verdict"] == "cannot be told", "three seeds are needed"


def test_changes_of_stored_models_and_what_is_not_trained(trials):
    shares = {"vgg16_modified_utk": 0.6, "vgg16_frozen_utk": 0.3, "vgg16_modified_noise": 0.9}
    answers = predicted(**shares)
    trials(answers.labels)
    changes = paper_changes(answers)
    known = rows(changes)
    assert known.loc["VGG16", "verdict"] == "helps" and known.loc["VGG16", "difference"] == pytest.approx(0.3)
    assert known.loc["Gaussian noise", "verdict"] == "not trained", "it starts from other weights"
    assert known.loc["aligned faces", "verdict"] == "not trained"
    trained = changes[changes["verdict"] != "not trained"]
    assert set(trained["change"]) == {"VGG16", "CLAHE", "histogram equalisation"}
    fine, small = changes_in_prose(changes)
    assert fine.startswith("**Fine-tuning.** VGG16: helps (+30.0 points against the frozen backbone, +2")
    assert small.startswith("**Preprocessing, small.** histogram equalisation: cannot be told (")
    table = changes_table(trained)
    assert table["Difference in points"][0].startswith("+30.0 (+2") and table["Accuracy"][0].startswith("60.0 % (5")
    assert set(paper_changes(None)["verdict"]) == {"not trained"} and changes_in_prose(paper_changes(None)) == []


def test_stored_trainings_have_an_answer_for_every_face_and_a_change():
    asked = {change[side] for change in CHANGES for side in ("first", "other")}
    for row in pd.read_csv(module.TRIALS_FILE, dtype={"predicted": str}).itertuples():
        assert len(row.predicted) == 3589 and set(row.predicted) <= set("0123456")
        assert f"{row.name}_small" in asked


def test_each_change_is_of_one_network():
    for change in CHANGES:
        first, other = (model_spec(change[side].removesuffix("_small")) for side in ("first", "other"))
        assert first != other
        assert first.backbone == other.backbone or change["group"].startswith("Another backbone")
