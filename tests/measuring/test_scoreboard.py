import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from fer_core.measuring.scoreboard import front_models, scoreboard_table
from fer_core.metrics.core import measure_models
from fer_core.metrics.predictions import ENSEMBLE
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


def test_charts_of_many_models_start_with_the_best_the_default_and_the_papers_families():
    names = ["best", "second", "vgg16_a", "vgg16_b", "xception_a", "resnet50_a", "mobilenetv2_a", DEFAULT_MODEL]
    board = pd.DataFrame({"name": names, "model": [f"title of {name}" for name in names]})
    backbones = {"vgg16_a": "VGG16", "vgg16_b": "VGG16", "xception_a": "Xception", "resnet50_a": "ResNet50"}
    backbones |= {"mobilenetv2_a": "MobileNetV2", "best": None, "second": "DenseNet121"}
    front = front_models(board, backbones)
    expected = ["best", "vgg16_a", "xception_a", "resnet50_a", "mobilenetv2_a", DEFAULT_MODEL]
    assert front == [f"title of {name}" for name in expected]
    fused = pd.concat([board, pd.DataFrame({"name": [ENSEMBLE], "model": ["Ensemble"]})])
    assert "Ensemble" in front_models(fused, backbones)
    assert len(front_models(fused, backbones)) == 6
    assert len(front_models(board.head(3), backbones)) == 3
