from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_core.models import ModelSpec, build_network, model_names, model_spec
from fer_core.models.networks import backbone_of, with_activation_map
from fer_core.models.registry import origin
from fer_core.models.spec import ALL_LAYERS
from fer_core.types import FerError

# numbers that train besides the head's, by hand: kernels and biases of the last layers, batch norms left out
OPEN = {
    "mobilenetv2_modified": 960 * 320 + 320 * 1280,  # two convolutions of one pixel without bias
    "mobilenetv2_frozen": 0,
    "vgg16_modified": 4 * (512 * 512 * 9 + 512),  # block4_conv3 and block 5
    # expand, depthwise, squeeze (1152 to 48 and back), project, top
    "efficientnetb0_modified": 192 * 1152 + 1152 * 9 + 2 * 1152 * 48 + 48 + 1152 + 1152 * 320 + 320 * 1280,
    "densenet121_modified": sum(128 * (1024 - 32 * back) + 128 * 32 * 9 for back in (1, 2, 3)),  # three blocks
    # blocks 6 to 12: filters of 3 pixels for each channel, convolutions of one pixel, gamma and beta of two batch norms
    "mobilenet_faces": sum(9 * a + a * b + 2 * (a + b) for a, b in [(256, 512), *[(512, 512)] * 5, (512, 1024)]),
}


def untrained(name, **changes):
    keras.utils.set_random_seed(3)
    return build_network(replace(model_spec(name), weights_from="random", **changes))


FACES = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1)).astype("float32")


def test_the_papers_eight_are_there():
    variants = {name: spec for name in model_names() if (spec := model_spec(name)).architecture == "transfer"}
    assert {
        "mobilenetv2_frozen", "vgg16_frozen", "xception_frozen", "resnet50_frozen",
        "mobilenetv2_modified", "vgg16_modified", "vgg16_modified_noise", "vgg16_modified_face",
    } <= set(variants)  # fmt: skip
    others = {name: spec.weights_from for name, spec in variants.items() if not name.startswith("mobilenet_faces")}
    assert set(others.values()) == {"imagenet"}
    assert [name for name, spec in variants.items() if spec.noise] == ["vgg16_modified_noise"]
    assert [name for name, spec in variants.items() if spec.preprocessing != "none"] == ["vgg16_modified_face"]


@pytest.mark.parametrize("name", OPEN)
def test_open_and_frozen_layers(name):
    network, spec = untrained(name), model_spec(name)
    backbone = backbone_of(network)
    assert sum(np.prod(weight.shape) for weight in backbone.trainable_weights) == OPEN[name]
    own = 4 if spec.batch_normalization != "none" else 2
    assert len(network.trainable_weights) == len(backbone.trainable_weights) + own
    opened = [layer for layer in backbone.layers if layer.trainable_weights]
    norms = [layer for layer in opened if "BatchNorm" in type(layer).__name__]
    assert len(opened) - len(norms) == spec.open_layers
    assert len(norms) == (spec.open_layers if spec.open_normalization else 0)  # one after each convolution


def test_shapes_and_sizes():
    transfer, compact = untrained("mobilenetv2_frozen"), untrained("compact_cnn")
    assert transfer.get_layer("features").output.shape == (None, 5, 5, 1280)
    assert transfer.count_params() == 2_257_984 + 1280 * 7 + 7
    assert compact.count_params() == 1_866_983  # as docs/models.md says
    for network, faces in ((transfer, FACES), (compact, FACES), (compact, FACES[:, 2:46, 2:46])):
        probabilities = np.asarray(network(faces))
        assert probabilities.shape == (8, 7)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def moved_by_training(network):
    """Paths of the weights that two steps of training change."""
    for layer in backbone_of(network).layers:
        if layer.name in {"block_16_depthwise_BN", "Conv_1_bn"}:  # random weights let next to nothing through, so that
            layer.beta.assign(np.ones(layer.beta.shape))  # gradients vanish: make every feature about 1
    before = {v.path: np.array(v) for v in network.variables}
    network.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy", run_eagerly=True)
    for part in (FACES[:4], FACES[4:]):
        network.train_on_batch(part, np.arange(4))
    return {v.path for v in network.variables if not np.array_equal(before[v.path], np.array(v))}


def test_training_moves_the_opened_layers_and_no_others():
    assert moved_by_training(untrained("mobilenetv2_frozen")) == {"head/kernel", "head/bias"}
    moved = moved_by_training(untrained("mobilenetv2_modified"))
    assert {path for path in moved if not path.startswith("head")} == {"block_16_project/kernel", "Conv_1/kernel"}
    assert {"head_normalization/moving_mean", "head_normalization/gamma", "head/kernel"} <= moved


def test_all_layers_open_train_with_their_statistics():
    assert len(backbone_of(untrained("vgg16_frozen", open_layers=13)).trainable_weights) == 26
    with pytest.raises(FerError, match=r"vgg16 has 13 layers with weights .* Received: 14"):
        untrained("vgg16_frozen", open_layers=14)
    network = untrained("mobilenetv2_frozen", open_layers=ALL_LAYERS)
    assert all(layer.trainable for layer in backbone_of(network).layers)
    statistics = {v.path for v in network.non_trainable_variables if v.path.endswith("moving_mean")}
    assert len(statistics) == 52
    assert statistics <= moved_by_training(network)


def test_noise_is_added_while_training_only():
    network = untrained("vgg16_modified_noise")
    seen = keras.Model(network.input, network.get_layer("preprocess").output)
    quiet, again, loud = (np.asarray(seen(FACES, training=training)) for training in (False, False, True))
    np.testing.assert_array_equal(quiet, again)
    assert (loud - quiet).std() == pytest.approx(0.05 * 255, rel=0.05)
    np.testing.assert_allclose((loud - quiet)[..., 0], (loud - quiet)[..., 2], atol=1e-3)  # gray noise


@pytest.mark.parametrize(
    ("name", "changes", "side"),
    [
        ("compact_cnn", {"widths": (8, 8, 12, 16)}, 6),
        ("mobilenetv2_frozen", {}, 5),
        ("mobilenetv2_frozen", {"batch_normalization": "after pooling"}, 5),
    ],
)
def test_mean_of_the_activation_map_is_the_logit(name, changes, side):
    network, random = untrained(name, **changes), np.random.default_rng(0)
    for layer in network.layers:  # fresh biases are zero, which would hide a lost bias
        if layer.name in {"head", "head_normalization"}:
            layer.set_weights([random.uniform(0.1, 0.5, weights.shape) for weights in layer.get_weights()])
    outputs = {key: np.asarray(values) for key, values in with_activation_map(network)(FACES, training=False).items()}
    assert outputs["activation"].shape == (8, side, side, 7)
    logits = outputs["activation"].mean(axis=(1, 2))
    softmax = np.exp(logits - logits.max(axis=1, keepdims=True))
    assert softmax.min() < 0.9
    np.testing.assert_allclose(softmax / softmax.sum(axis=1, keepdims=True), outputs["probabilities"], atol=1e-4)


def test_any_other_application_goes_by_its_name():
    spec = model_spec("resnet50v2_modified")
    assert (spec.title, spec.backbone) == ("ResNet50V2, modified", "ResNet50V2")
    assert (spec.backbone_size, spec.open_layers) == (96, 6)
    assert model_spec("mobilenet_frozen").backbone == "MobileNet"
    for wrong in ("resnet9000", "resnet9000_frozen", "resnet50v2_other", "_frozen", "ResNet50V2", "compact_cnn_utk"):
        with pytest.raises(FerError, match=r"or another backbone of Keras|Only models with a backbone"):
            model_spec(wrong)


@pytest.mark.parametrize(
    ("place", "layers"),
    [
        ("none", ["noise"]),
        ("after pooling", ["noise", "pool", "head_normalization"]),
        ("before noise", ["input_normalization", "noise"]),
        ("after noise", ["noise", "input_normalization"]),
    ],
)
def test_batch_norm_and_noise_stand_where_the_spec_says(place, layers):
    network = untrained("mobilenetv2_frozen", backbone_size=32, noise=0.1, batch_normalization=place)
    order = [layer.name for layer in network.layers]
    assert sorted(layers, key=order.index) == layers
    assert ("input_normalization" in order) == ("input_normalization" in layers)
    dark = FACES / 4  # a batch norm on the input makes them as bright as FER2013's faces are on average
    levels = keras.Model(network.input, network.get_layer("to_levels").output)(dark, training=True)
    mean = np.asarray(levels).mean()
    assert mean == pytest.approx(0.508 * 255 if "input_normalization" in order else dark.mean(), abs=1)


def test_one_change_is_named_at_the_end():
    spec = model_spec("densenet121_frozen_clahe")
    assert (spec.title, spec.preprocessing, spec.frozen) == ("DenseNet121, frozen, CLAHE", "clahe", True)
    both = model_spec("mobilenetv2_frozen_noise_normfirst")
    assert (both.noise, both.batch_normalization, both.frozen) == (0.05, "before noise", False)
    assert model_spec("vgg16_modified_aligned_utk").weights_from == "utkface"
    assert model_spec("compact_cnn_equalize").preprocessing == "equalize"
    for wrong, message in (("compact_cnn_noise", "Only models with a backbone"), ("hog_linear_clahe", "no model of")):
        with pytest.raises(FerError, match=message):
            model_spec(wrong)
    with pytest.raises(FerError, match="Unknown place of the batch norm"):
        replace(spec, batch_normalization="everywhere")
    old = {
        **model_spec("vgg16_modified").as_dict(),
        "batch_normalization": True,
    }  # as cards of earlier versions have it
    assert ModelSpec.from_dict(old) == model_spec("vgg16_modified")


def test_spec_says_what_trains_and_refuses_nonsense(tiny_spec):
    spec, frozen = model_spec("vgg16_modified"), model_spec("vgg16_frozen")
    assert (spec.trained, spec.frozen) == ("head and last 4 layers with weights", False)
    assert (frozen.trained, frozen.frozen) == ("head only", True)
    assert model_spec("compact_cnn").trained == "every layer"
    assert spec.with_weights("imagenet") == spec
    assert spec.with_weights("utkface").name == "vgg16_modified_utk"
    assert model_spec("vgg16_modified_utk") == spec.with_weights("utkface")
    norms = [model_spec(name).batch_normalization for name in ("vgg16_frozen_utk", "vgg16_frozen", "vgg16_modified")]
    assert norms == ["none", "none", "after pooling"], "the paper adds batch norm in its second stage"
    assert model_spec("vgg16_modified_faces").title == "VGG16, modified (faces)"
    assert model_spec("resnet50v2_frozen_random").weights_from == "random"
    assert ModelSpec.from_dict({**tiny_spec.as_dict(), "widths": list(tiny_spec.widths)}) == tiny_spec
    for wrong in ({"preprocessing": "magic"}, {"open_layers": -2}, {"dropout": 1.0}, {"noise": 2.0}):
        with pytest.raises(FerError, match="Expected"):
            replace(spec, **wrong)
    with pytest.raises(FerError, match="Unknown architecture"):
        build_network(ModelSpec("x", "X", "transformer"))


def test_a_model_of_a_model_starts_where_the_first_one_did():
    chain = {"mobilenet_faces_student": "vggface2", "vgg16_frozen_utk": "utkface", "compact_cnn_votes_seed1": "random"}
    for name, first in chain.items() | {("imagenet", "imagenet"), ("none", ""), ("my model", ""), ("", "")}:
        assert origin(name) == first


def test_mixed_precision_keeps_weights_and_answers_in_float32(tiny_spec):
    network = build_network(tiny_spec, "mixed_bfloat16")
    assert {str(v.dtype) for v in network.trainable_variables} == {"float32"}
    assert keras.ops.dtype(network(np.zeros((1, 48, 48, 1), "float32"))) == "float32"
    assert keras.config.dtype_policy().name == "float32"
