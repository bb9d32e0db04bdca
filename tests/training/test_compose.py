"""A shipped part on the backbone at hand is the network that was trained; without a backbone, one sentence."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from fer_core.columns import PROBABILITIES
from fer_core.data import FerDataset
from fer_core.inference import Classifier
from fer_core.models import ModelSpec, build_network, composed, model_spec
from fer_core.models.composed import pack_weights
from fer_core.models.transfer import backbone_of
from fer_core.store import load_model, promoted
from fer_core.training import publish
from fer_core.training.compose import compose
from fer_core.training.named import train_named
from fer_core.training.trained_part import put_back, trained_part
from fer_core.training.training_data import TrainingData
from fer_core.types import FerError
from tests.conftest import require

SMALL = ModelSpec("small", "Small", "transfer", backbone="MobileNetV2", backbone_size=32, open_layers=6)


@pytest.fixture(scope="module")
def shipped(fer2013, tmp_path_factory):
    """MobileNetV2 as shipped, trained for one epoch on a few faces; its backbone is ImageNet's."""
    require("FER_BACKBONE_DIR", "needs MobileNetV2's ImageNet weights")
    kept = np.concatenate([np.flatnonzero(fer2013.usage == split)[:140] for split in np.unique(fer2013.usage)])
    dataset: FerDataset = fer2013.subset(np.sort(kept))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(tmp_path_factory.mktemp("shipped")))
        patch.setattr(publish, "QUANTIZATIONS", ("float32", "int8"))  # each conversion takes seconds
        spec = model_spec("mobilenetv2_modified")
        train_named(spec, TrainingData.of(dataset), promoted(), epochs=1, ship=True)
        yield load_model(spec.name), dataset


@pytest.mark.slow
def test_from_faces_to_the_store(shipped, monkeypatch):
    model, dataset = shipped
    names = {path.name for path in model.folder.iterdir()}
    assert names == {"card.json", "trained.npz", "predictions.parquet", "history.csv"}
    assert model.composed
    assert model.card.trained == "head and last 6 layers"
    part = model.card.served["composed"]
    assert (
        2 * part["trained_parameters"]
        < (model.folder / "trained.npz").stat().st_size
        < 2.2 * part["trained_parameters"]
    )
    monkeypatch.setattr(composed, "WORKER", "no_such_module")  # the measured file is in the cache already
    faces = dataset.split("public_test").images
    served = Classifier.of(model).predict(faces).probabilities
    np.testing.assert_allclose(model.predictions("public_test")[PROBABILITIES], served, atol=1e-5)


@pytest.mark.slow
def test_put_together_anew_it_is_the_same(shipped):
    model, dataset = shipped
    measured = model.weights
    content = measured.read_bytes()
    faces = dataset.split("public_test").images[:64]
    before = Classifier(measured).predict(faces).probabilities
    measured.unlink()
    again = model.weights  # the worker's process builds, puts back and converts
    assert again == measured
    assert abs(len(again.read_bytes()) - len(content)) < 4096
    np.testing.assert_allclose(Classifier(again).predict(faces).probabilities, before, atol=1e-5)


@pytest.mark.slow
def test_without_backbone_one_sentence_from_the_worker(shipped, tmp_path, monkeypatch):
    model, _ = shipped
    model.weights.unlink()
    monkeypatch.setenv("FER_BACKBONE_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(FerError, match=r"^The ImageNet weights of MobileNetV2 are not at hand: .*FER_BACKBONE_DIR"):
        _ = model.weights


@pytest.mark.parametrize("open_layers", [0, 6])
def test_the_part_makes_a_fresh_network_the_trained_one(open_layers, tmp_path):
    spec = replace(SMALL, open_layers=open_layers, batch_normalization=True)
    trained, fresh = build_network(spec), build_network(spec)
    fresh.set_weights(trained.get_weights())
    rng = np.random.default_rng(0)
    own = [layer for layer in trained.layers if layer.name.startswith("head")]
    opened = [layer for layer in backbone_of(trained).layers if open_layers and layer.trainable]
    for layer in [*own, *opened]:
        layer.set_weights([w + np.abs(rng.normal(0, 0.1, w.shape)) for w in layer.get_weights()])
    path = tmp_path / "trained.npz"
    path.write_bytes(pack_weights(trained_part(trained, spec)))
    put_back(fresh, spec, composed.read_weights(path))
    for one, other in zip(trained.get_weights(), fresh.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_part_fits_a_backbone_whose_normalisations_are_not_folded(tmp_path):
    spec = replace(SMALL, batch_normalization=True)
    own, folded = build_network(spec), build_network(spec)
    rng = np.random.default_rng(0)
    for layer in backbone_of(own).layers:
        if hasattr(layer, "moving_variance"):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    folded.set_weights(own.get_weights())
    layers = backbone_of(folded).layers
    for convolution, normalization in itertools.pairwise(layers):
        if hasattr(normalization, "moving_variance"):
            gamma, beta, mean, variance = normalization.get_weights()
            scale = gamma / np.sqrt(variance + normalization.epsilon)
            depthwise = "depthwise" in convolution.name
            convolution.set_weights([convolution.get_weights()[0] * (scale[:, None] if depthwise else scale)])
            ones = np.ones_like(gamma)
            normalization.set_weights([ones, beta - mean * scale, 0 * ones, ones - normalization.epsilon])
    faces = rng.uniform(0, 255, (4, 48, 48, 1)).astype("float32")
    np.testing.assert_allclose(folded.predict(faces, verbose=0), own.predict(faces, verbose=0), atol=1e-3)
    for layer in layers[-6:]:
        layer.set_weights([w * rng.uniform(0.5, 1.5, w.shape) if w.ndim > 1 else w for w in layer.get_weights()])
    path = tmp_path / "trained.npz"
    path.write_bytes(pack_weights(trained_part(folded, spec)))
    before = own.predict(faces, verbose=0)
    put_back(own, spec, composed.read_weights(path))
    np.testing.assert_allclose(own.predict(faces, verbose=0), folded.predict(faces, verbose=0), atol=1e-3)
    assert np.abs(own.predict(faces, verbose=0) - before).max() > 0.01


def test_a_part_of_another_network_is_named():
    network = build_network(SMALL)
    part = {path: values.astype("float32") for path, values in trained_part(network, SMALL).items()}
    wrong = [
        {**part, "head/kernel": part["head/kernel"][:64]},
        {path: values for path, values in part.items() if path != "head/bias"},
        {**part, "another/kernel": part["head/bias"]},
    ]
    for other in wrong:
        with pytest.raises(FerError, match="does not fit its network"):
            put_back(network, SMALL, other)


def test_compose_names_a_damaged_part(tmp_path):
    (tmp_path / "trained.npz").write_bytes(b"none")
    from fer_core.store import StoredModel

    model = StoredModel("x", tmp_path, {"spec": replace(SMALL, weights_from="random").as_dict()})
    with pytest.raises(FerError, match="damaged"):
        compose(model)
