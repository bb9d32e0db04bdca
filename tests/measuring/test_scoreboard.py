from types import SimpleNamespace

import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from fer_core.measuring.scoreboard import front_models, scoreboard_table
from fer_core.metrics.core import measure_models
from fer_core.store import folders
from fer_core.store.folders import DEFAULT_MODEL


def test_scoreboard(models, answers):
    table = scoreboard_table(answers, measure_models(answers), models)
    assert table["name"].tolist() == ["able", "fair", "weak"]
    for row in table.itertuples():
        predicted = answers.probabilities[row.name].argmax(axis=1)
        assert row.accuracy == pytest.approx(accuracy_score(answers.labels, predicted))
        assert row.macro_f1 == pytest.approx(f1_score(answers.labels, predicted, average="macro"))
        auc = roc_auc_score(answers.labels, answers.probabilities[row.name], multi_class="ovr")
        assert row.roc_auc == pytest.approx(auc)
        assert row.accuracy_low <= row.accuracy <= row.accuracy_high
    assert table.loc[0, ["size_bytes", "parameters", "trained"]].tolist() == [None, 1234567, "every layer"]
    assert set(table["split"]) == {"PublicTest"}


def stored(*names, root=folders.SHIPPED):
    return [SimpleNamespace(name=name, folder=root / name) for name in names]


def test_one_model_of_each_kind_and_those_of_ones_own_are_in_front(tmp_path):
    shipped = stored(DEFAULT_MODEL, "class_prior", "compact_cnn", "vgg16_modified_utk", "vgg16_modified", "hog_linear")
    assert front_models(shipped) == [DEFAULT_MODEL, "vgg16_modified", "hog_linear", "class_prior", "compact_cnn"]
    own = stored("a", "b", "c", "d", root=tmp_path)
    assert front_models([*shipped, *own])[:6] == [DEFAULT_MODEL, "vgg16_modified", "hog_linear", "a", "b", "c"]
    assert front_models(shipped[1:3]) == ["class_prior", "compact_cnn"]
    assert front_models([]) == []
