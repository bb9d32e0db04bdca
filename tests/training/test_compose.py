"""A shipped head on the backbone at hand is the network that was trained; without a backbone, one sentence."""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd
import pytest

from fer_core.inference import Classifier
from fer_core.models import build_network, model_spec
from fer_core.models.composed import head_bytes
from fer_core.store import PROBABILITIES, promoted, save_model
from fer_core.training.compose import compose
from fer_core.types import FerError
from tests.conftest import require


@pytest.fixture
def store_head(home):
    """Store a head without its backbone, as `publish` does."""

    def store(kernel, bias):
        spec = model_spec("mobilenetv2_frozen")
        served = {"storage": "float32", "size_bytes": 9_000_000, "composed": {}}
        card = {
            "name": spec.name,
            "title": spec.title,
            "spec": spec.as_dict(),
            "parameters": 10,
            "weights_from": "imagenet",
            "input_size": 48,
            "metrics": {},
            "served": served,
        }
        predictions = pd.DataFrame([[0.0] * 7], columns=PROBABILITIES)
        return save_model(promoted(), card, b"", predictions, pd.DataFrame(), b"", head_bytes(kernel, bias))

    return store


@pytest.fixture
def head():
    rng = np.random.default_rng(0)
    return rng.normal(0, 0.1, (1280, 7)).astype(np.float32), rng.normal(0, 0.5, 7).astype(np.float32)


@pytest.mark.slow
def test_composed_equals_trained_and_serves(store_head, head):
    require("FER_BACKBONE_DIR", "needs MobileNetV2's ImageNet weights")
    network = build_network(model_spec("mobilenetv2_frozen"))
    network.get_layer("head").set_weights(list(head))
    model = store_head(*head)
    assert model.composed
    assert model.size_bytes == 9_000_000
    assert sum(path.stat().st_size for path in model.folder.iterdir()) < 100_000
    faces = np.random.default_rng(1).integers(0, 256, (40, 48, 48)).astype(np.uint8)
    expected = network.predict(faces[..., None].astype("float32"), verbose=0)
    again = compose(model).predict(faces[..., None].astype("float32"), verbose=0)
    np.testing.assert_array_equal(again, expected)
    path = model.weights
    np.testing.assert_allclose(Classifier(path).predict(faces).probabilities, expected, atol=1e-3)
    started = time.monotonic()
    assert model.weights == path
    assert time.monotonic() - started < 0.5


@pytest.mark.slow
def test_without_backbone_one_sentence_from_the_worker(store_head, head, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_BACKBONE_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(FerError, match=r"^The ImageNet weights of MobileNetV2 are not at hand: .*FER_BACKBONE_DIR"):
        _ = store_head(*head).weights


def test_a_head_of_another_size_is_named(store_head, head, monkeypatch):
    compose_module = sys.modules[compose.__module__]
    random = model_spec("mobilenetv2_frozen").as_dict() | {"weights_from": "random"}
    model = store_head(head[0][:64], head[1])
    monkeypatch.setattr(compose_module.ModelSpec, "from_dict", lambda _: compose_module.ModelSpec(**random))
    with pytest.raises(FerError, match=r"does not fit its backbone. Expected \(1280, 7\)"):
        compose(model)
