"""A frozen model from faces to the store: only the head is shipped, and what serves says what Keras says."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from fer_core.data import FerDataset
from fer_core.inference import Classifier
from fer_core.models import composed, model_spec
from fer_core.store import PROBABILITIES, load_model, promoted
from fer_core.training.compose import compose
from fer_core.training.frozen import train_frozen
from fer_core.training.head import HeadRecipe
from tests.conftest import require


@pytest.mark.slow
def test_from_faces_to_the_store(fer2013, home, monkeypatch):
    require("FER_BACKBONE_DIR", "needs MobileNetV2's ImageNet weights")
    kept = np.concatenate([np.flatnonzero(fer2013.usage == split)[:280] for split in np.unique(fer2013.usage)])
    dataset: FerDataset = fer2013.subset(np.sort(kept))
    spec = model_spec("mobilenetv2_frozen")
    train_frozen(spec, HeadRecipe(epochs=5, penalties=(1e-4, 1e-3)), dataset, promoted())
    model = load_model(spec.name)
    assert {path.name for path in model.folder.iterdir()} == {
        "card.json",
        "head.npz",
        "predictions.parquet",
        "history.csv",
    }
    assert sum(path.stat().st_size for path in model.folder.iterdir()) < 200_000
    assert len(model.card["training"]["tried"]) == 2
    assert len(model.history()) == 5

    monkeypatch.setattr(composed, "WORKER", "no_such_module")  # the measured file is in the cache already
    content = model.weights.read_bytes()
    assert hashlib.sha256(content).hexdigest() == model.card["served"]["sha256"]
    faces = dataset.split("public_test").images
    served = Classifier(model.weights).predict(faces).probabilities
    np.testing.assert_allclose(model.predictions("public_test")[PROBABILITIES], served, atol=1e-5)
    expected = compose(model).predict(faces[..., None].astype("float32"), verbose=0)
    tolerance = {"float32": 1e-3, "float16": 5e-3, "int8": 0.15}[model.card["served"]["storage"]]
    np.testing.assert_allclose(served, expected, atol=tolerance)
