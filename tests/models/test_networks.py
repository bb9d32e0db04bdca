"""The networks and their specs: sizes and shapes, which layers train, what the activation map says."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_core.models import ModelSpec, build_network, model_names, model_spec
from fer_core.models.networks import backbone_of, with_activation_map
from fer_core.models.spec import ALL_LAYERS
from fer_core.types import FerError

VARIANTS = [name for name in model_names() if model_spec(name).architecture == "transfer"]

# numbers that train besides the head's, by hand: kernels and biases of the last layers, batch norms left out
VGG16 = 4 * (512 * 512 * 9 + 512)  # block4_conv3 and block 5
# blocks 6 to 12: filters of 3 pixels for each channel, convolutions of one pixel, gamma and beta of two batch norms
FACES = sum(9 * a + a * b + 2 * (a + b) for a, b in [(256, 512), *[(512, 512)] * 5, (512, 1024)])
OPEN = {
    "mobilenetv2_modified": 960 * 320 + 320 * 1280,  # two convolutions of one pixel without bias
    "mobilenetv2_frozen": 0,
    "vgg16_modified": VGG16,
    # expand, depthwise, squeeze (1152 to 48 and back), project, top
    "efficientnetb0_modified": 192 * 1152 + 1152 * 9 + 2 * 1152 * 48 + 48 + 1152 + 1152 * 320 + 320 * 1280,
    "efficientnetv2b0_modified": 192 * 1152 + 1152 * 9 + 2 * 1152 * 48 + 48 + 1152 + 1152 * 192 + 192 * 1280,
    "densenet121_modified": sum(128 * (1024 - 32 * back) + 128 * 32 * 9 for back in (1, 2, 3)),  # three blocks
    "mobilenet_faces": FACES,
    "nasnetmobile_modified": 4 * (176 * 9 + 176 * 176) + 2 * (176 * 25 + 176 * 176),  # separable, 3 and 5 pixels
}


def untrained(name, **changes):
    keras.utils.set_random_seed(3)
    return build_network(replace(model_spec(name), weights_from="random", **changes))


@pytest.fixture(scope="module")
def network():
    network = untrained("mobilenetv2_frozen")
    network.get_layer("head").set_weights([np.random.default_rng(0).normal(0, 0.5, (1280, 7)), np.linspace(-1, 1, 7)])
    return network


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(0).integers(0, 256, (8, 48, 48)).astype(np.uint8)


def as_input(faces):
    return faces[..., None].astype("float32")


def test_the_papers_eight_are_there():
    assert {
        "mobilenetv2_frozen", "vgg16_frozen", "xception_frozen", "resnet50_frozen",
        "mobilenetv2_modified", "vgg16_modified", "vgg16_modified_noise", "vgg16_modified_face",
    } <= set(VARIANTS)  # fmt: skip
    others = {name: model_spec(name).weights_from for name in VARIANTS if model_spec(name).weights_from != "imagenet"}
    assert others == {"mobilenet_faces": "vggface2"}
    assert [name for name in VARIANTS if model_spec(name).noise] == ["vgg16_modified_noise"]
    assert [name for name in VARIANTS if model_spec(name).preprocessing != "none"] == ["vgg16_modified_face"]


@pytest.mark.parametrize("name", OPEN)
def test_open_and_frozen_layers(name):
    network = untrained(name)
    backbone = backbone_of(network)
    spec = model_spec(name)
    assert sum(np.prod(weight.shape) for weight in backbone.trainable_weights) == OPEN[name]
    own = 4 if spec.batch_normalization else 2
    assert len(network.trainable_weights) == len(backbone.trainable_weights) + own
    opened = [layer for layer in backbone.layers if layer.trainable_weights]
    norms = [layer for layer in opened if "BatchNorm" in type(layer).__name__]
    assert len(opened) - len(norms) == spec.open_layers
    assert len(norms) == (spec.open_layers if spec.open_normalization else 0)  # one after each convolution


def test_more_open_layers_than_there_are_is_refused():
    assert len(backbone_of(untrained("vgg16_frozen", open_layers=13)).trainable_weights) == 26
    with pytest.raises(FerError, match=r"vgg16 has 13 layers with weights .* Received: 14"):
        untrained("vgg16_frozen", open_layers=14)


def test_shapes_and_sizes(network, faces):
    assert network.get_layer("features").output.shape == (None, 3, 3, 1280)
    assert network.count_params() == 2_257_984 + 1280 * 7 + 7
    probabilities = keras.ops.convert_to_numpy(network(as_input(faces)))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def moved_by_training(network, faces):
    """Paths of the weights that two steps of training change."""
    before = {v.path: keras.ops.convert_to_numpy(v).copy() for v in network.variables}
    network.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy", run_eagerly=True)
    for part in (faces[:4], faces[4:]):
        network.train_on_batch(as_input(part), np.arange(4))
    after = {v.path: keras.ops.convert_to_numpy(v) for v in network.variables}
    assert before.keys() == after.keys()
    return {path for path in before if not np.array_equal(before[path], after[path])}


def let_through(network, layer):
    """Random weights let next to nothing through, so that gradients vanish: make every feature about 1."""
    normalization = backbone_of(network).get_layer(layer)
    normalization.beta.assign(np.ones(normalization.beta.shape))


def test_training_moves_the_head_alone_where_frozen(faces):
    network = untrained("mobilenetv2_frozen")
    let_through(network, "Conv_1_bn")
    assert moved_by_training(network, faces) == {"head/kernel", "head/bias"}


def test_training_moves_the_opened_layers_and_no_others(faces):
    network = untrained("mobilenetv2_modified")
    let_through(network, "block_16_depthwise_BN")
    let_through(network, "Conv_1_bn")
    moved = moved_by_training(network, faces)
    assert {path for path in moved if not path.startswith("head")} == {"block_16_project/kernel", "Conv_1/kernel"}
    assert {"head_normalization/moving_mean", "head_normalization/gamma", "head/kernel"} <= moved


def test_all_layers_open_train_with_their_statistics(faces):
    network = untrained("mobilenetv2_frozen", open_layers=ALL_LAYERS)
    assert all(layer.trainable for layer in backbone_of(network).layers)
    moved = moved_by_training(network, faces)
    statistics = {v.path for v in network.non_trainable_variables if v.path.endswith("moving_mean")}
    assert len(statistics) == 52
    assert statistics <= moved


def test_noise_is_added_while_training_only(faces):
    network = untrained("vgg16_modified_noise")
    seen = keras.Model(network.input, network.get_layer("preprocess").output)
    quiet = keras.ops.convert_to_numpy(seen(as_input(faces), training=False))
    loud = keras.ops.convert_to_numpy(seen(as_input(faces), training=True))
    np.testing.assert_array_equal(quiet, keras.ops.convert_to_numpy(seen(as_input(faces), training=False)))
    assert (loud - quiet).std() == pytest.approx(0.05 * 255, rel=0.05)
    np.testing.assert_allclose((loud - quiet)[..., 0], (loud - quiet)[..., 2], atol=1e-3)  # gray noise


@pytest.mark.parametrize("normalized", [False, True])
def test_mean_of_activation_map_is_the_logit(faces, normalized):
    network = untrained("mobilenetv2_frozen", batch_normalization=normalized)
    rng = np.random.default_rng(0)
    if normalized:
        layer = network.get_layer("head_normalization")
        layer.set_weights(
            [rng.uniform(0.5, 2, 1280), rng.normal(size=1280), rng.normal(size=1280), rng.uniform(0.1, 2, 1280)]
        )
    network.get_layer("head").set_weights([rng.normal(0, 0.05, (1280, 7)), np.linspace(-1, 1, 7)])
    outputs = {
        name: values.numpy() for name, values in with_activation_map(network)(as_input(faces), training=False).items()
    }
    assert outputs["activation"].shape == (8, 3, 3, 7)
    logits = outputs["activation"].mean(axis=(1, 2))
    softmax = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax /= softmax.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, outputs["probabilities"], atol=1e-4)


def test_any_other_application_goes_by_its_name():
    spec = model_spec("resnet50v2_modified")
    assert (spec.backbone, spec.backbone_size, spec.open_layers) == ("ResNet50V2", 96, 6)
    assert spec.title == "ResNet50V2, modified"
    assert model_spec("mobilenet_frozen").backbone == "MobileNet"
    for wrong in ("resnet9000_frozen", "resnet50v2_other", "_frozen", "ResNet50V2"):
        with pytest.raises(FerError, match="or another backbone of Keras"):
            model_spec(wrong)
    network = untrained("mobilenet_modified")
    assert len(backbone_of(network).trainable_weights) > 0


def test_spec_says_what_trains_and_refuses_nonsense():
    spec = model_spec("vgg16_modified")
    assert spec.trained == "head and last 4 layers with weights"
    assert not spec.frozen
    assert model_spec("vgg16_frozen").trained == "head only"
    assert model_spec("vgg16_frozen").frozen
    assert model_spec("compact_cnn").trained == "every layer"
    assert spec.with_weights("imagenet") == spec
    assert spec.with_weights("utkface").name == "vgg16_modified_utk"
    assert model_spec("vgg16_modified_utk") == spec.with_weights("utkface")
    assert model_spec("vgg16_frozen_utk").batch_normalization
    assert not model_spec("vgg16_frozen").batch_normalization
    assert model_spec("resnet50v2_frozen_random").weights_from == "random"
    with pytest.raises(FerError, match="no model of that name"):
        model_spec("compact_cnn_utk")
    assert ModelSpec.from_dict(spec.as_dict()) == spec
    for wrong in ({"preprocessing": "magic"}, {"open_layers": -2}, {"dropout": 1.0}, {"noise": 2.0}):
        with pytest.raises(FerError, match="Expected"):
            replace(spec, **wrong)


def test_has_fewer_than_two_million_parameters():
    assert build_network(model_spec("compact_cnn")).count_params() < 2_000_000


@pytest.mark.parametrize("size", [44, 48])
def test_gives_probabilities_at_training_and_serving_size(size, tiny_spec):
    network = build_network(tiny_spec)
    faces = np.random.default_rng(0).integers(0, 256, (3, size, size, 1)).astype("float32")
    probabilities = keras.ops.convert_to_numpy(network(faces))
    assert probabilities.shape == (3, 7)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_mixed_precision_keeps_weights_and_answers_in_float32(tiny_spec):
    network = build_network(tiny_spec, "mixed_bfloat16")
    assert {str(v.dtype) for v in network.trainable_variables} == {"float32"}
    assert keras.ops.dtype(network(np.zeros((1, 48, 48, 1), "float32"))) == "float32"
    assert keras.config.dtype_policy().name == "float32"


def test_mean_of_the_compact_networks_activation_map_is_the_logit(tiny_spec):
    network = build_network(tiny_spec)
    for variable in network.trainable_variables:  # fresh biases are zero, which would hide a lost bias
        variable.assign_add(keras.random.normal(variable.shape, stddev=0.05, seed=1))
    faces = np.random.default_rng(1).integers(0, 256, (4, 48, 48, 1)).astype("float32")
    outputs = with_activation_map(network)(faces)
    logits = keras.ops.convert_to_numpy(outputs["activation"]).mean(axis=(1, 2))
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, keras.ops.convert_to_numpy(outputs["probabilities"]), atol=1e-5)


def test_spec_survives_json():
    spec = model_spec("compact_cnn")
    assert ModelSpec.from_dict({**spec.as_dict(), "widths": list(spec.widths)}) == spec


def test_unknown_names_are_refused(tiny_spec):
    with pytest.raises(FerError, match="Expected one of: compact_cnn"):
        model_spec("resnet9000")
    with pytest.raises(FerError, match="Unknown architecture"):
        build_network(ModelSpec("x", "X", "transformer"))
    assert "compact_cnn" in model_names()
