"""The paper's architectures on real faces: two steps of training, conversion, and the same answers from what serves."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_core.inference import Classifier
from fer_core.models import build_network, model_spec
from fer_core.models.networks import backbone_of
from fer_core.training.export import to_litert
from fer_core.training.fit import fit
from fer_core.training.recipe import recipe_for
from tests.conftest import require_weights

STORAGE = {  # a conversion takes seconds, so each variant has one
    "mobilenetv2_frozen": "float32",
    "vgg16_frozen": "float32",
    "xception_frozen": "float32",
    "resnet50_frozen": "float32",
    "mobilenetv2_modified": "float16",
    "vgg16_modified": "int8_weights",
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "quantization"), STORAGE.items())
def test_trains_converts_and_serves_the_same(name, quantization, fer2013, home):
    spec = model_spec(name)
    if spec.backbone == "MobileNetV2":
        require_weights("mobilenet_v2_imagenet_notop.weights.h5")
    else:
        spec = replace(spec, weights_from="random")
    part = fer2013.subset(np.arange(32))
    keras.utils.set_random_seed(1)
    network = build_network(spec)
    head = network.get_layer("head")
    before, frozen = head.get_weights()[0], _unopened(network)
    recipe = replace(recipe_for(spec), epochs=1, batch_size=16)
    assert np.isfinite(fit(network, spec, recipe=recipe, training=part, holdout=part)["loss"][0])
    assert not np.array_equal(head.get_weights()[0], before)
    for was, now in zip(frozen, _unopened(network), strict=True):
        np.testing.assert_array_equal(was, now)

    # untrained networks answer all faces nearly alike: give the head what makes their small differences count
    below = keras.Model(network.input, head.input)
    features = below.predict(part.images[..., None].astype("float32"), verbose=0)
    kernel = np.random.default_rng(0).normal(size=(features.shape[1], 7))
    kernel *= 3 / (features @ kernel).std(axis=0)
    head.set_weights([kernel, -(features @ kernel).mean(axis=0)])
    faces = fer2013.split("public_test").images[:64]
    expected = network.predict(faces[..., None].astype("float32"), verbose=0)
    served = Classifier(to_litert(network, 48, quantization)).predict(faces).probabilities
    if quantization == "float32":
        np.testing.assert_allclose(served, expected, atol=1e-3)
    else:  # answers that hang on such small differences sway with rounding; where one is clear it must stay
        second, first = np.sort(expected, axis=1)[:, -2:].T
        same = served.argmax(axis=1) == expected.argmax(axis=1)
        assert (first - second > 0.3).mean() > 0.4
        assert same[first - second > 0.3].mean() >= 0.99
        assert np.abs(served - expected).mean() < 0.02


def _unopened(network):
    """Weights of the backbone's layers that are not to train, statistics too."""
    return [w for layer in backbone_of(network).layers if not layer.trainable for w in layer.get_weights()]
