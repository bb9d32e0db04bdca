import importlib
import os
from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_core.models import backbones, build_network, model_names, model_spec, networks_by_input
from fer_core.models.backbones import BACKBONES, build_backbone, local_file, network_input, weights_file
from fer_core.types import FerError
from tests.conftest import require_weights

FILE = "mobilenet_v2_imagenet_notop.weights.h5"
FACE = np.random.default_rng(3).integers(0, 256, (48, 48)).astype(np.uint8)


@pytest.fixture
def no_download(monkeypatch):
    def refuse(*args, **kwargs):
        raise Exception("URL fetch failure on https://example.org: None -- no network")

    monkeypatch.setattr("keras.src.applications.mobilenet_v2.file_utils.get_file", refuse)


def test_the_table_has_every_backbone_of_keras_and_a_local_file_for_each():
    assert {name for name in dir(keras.applications) if name[0].isupper()} == set(BACKBONES)
    assert len(set(map(weights_file, BACKBONES))) == len(BACKBONES)
    stems = {"VGG16": "vgg16", "MobileNetV2": "mobilenet_v2", "InceptionResNetV2": "inception_resnet_v2"}
    assert [weights_file(name) for name in stems] == [f"{stem}_imagenet_notop.weights.h5" for stem in stems.values()]
    assert set(networks_by_input().values()) <= set(model_names())
    assert len(set(networks_by_input().values())) == len(networks_by_input()) == 9


@pytest.mark.parametrize("name", BACKBONES)
def test_scales_are_the_applications_own(name):
    module = importlib.import_module(getattr(keras.applications, name).__module__)
    faces = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1)).repeat(3, axis=3).astype("float64")
    scale, offset = BACKBONES[name].scale
    np.testing.assert_allclose(faces * scale + offset, module.preprocess_input(faces.copy()), atol=1e-4)


@pytest.mark.parametrize("name", ["vgg16_frozen", "efficientnetb0_modified", "xception_frozen", "compact_cnn"])
def test_a_network_gets_what_its_layers_compute(name):
    network = build_network(replace(model_spec(name), weights_from="random"))
    layer = network.get_layer("preprocess" if model_spec(name).backbone else "scale")
    expected = np.asarray(keras.Model(network.input, layer.output)(FACE[None, ..., None].astype("float32")))[0]
    tolerance = 2e-2 if expected.max() > 10 else 2e-4
    np.testing.assert_allclose(network_input(FACE, model_spec(name)), expected, atol=tolerance)


def test_pictures_have_the_networks_size_and_keep_black_and_white():
    face = np.tile(np.array([0, 255], np.uint8).repeat(24), (48, 1))
    for name, shape in (
        ("compact_cnn", (48, 48)),
        ("mobilenetv2_frozen", (160, 160, 3)),  # a pair has one size, so that a comparison is about training alone
        ("mobilenetv2_modified", (160, 160, 3)),
        ("mobilenetv2_modified_utk", (96, 96, 3)),
        ("xception_frozen", (71, 71, 3)),
    ):
        picture = backbones.input_picture(network_input(face, model_spec(name)), model_spec(name))
        assert picture.shape == shape
        assert (picture[:, 0] == 0).all()
        assert (picture[:, -1] == 255).all()
    gray = np.full((48, 48), 128, np.uint8)
    for spec in map(model_spec, ("vgg16_modified", "densenet121_modified")):  # different means give a blue tint
        red, _, blue = backbones.input_picture(network_input(gray, spec), spec)[20, 20].tolist()
        assert blue > red + 10


def test_local_folder_is_read(no_download):
    path = require_weights(FILE)
    ours = build_backbone("MobileNetV2", 96, "imagenet")
    plain = keras.applications.MobileNetV2((96, 96, 3), include_top=False, weights=None)
    assert backbones.weights_digest(ours) != backbones.weights_digest(plain)
    plain.load_weights(path)
    for a, b in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert backbones.weights_digest(ours) == backbones.weights_digest(plain)


def test_without_file_and_network_one_sentence(no_download, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_BACKBONE_DIR", str(tmp_path / "gone"))
    with pytest.raises(FerError, match=r"could not be downloaded .*no network.* set FER_BACKBONE_DIR") as caught:
        build_backbone("MobileNetV2", 96, "imagenet")
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("FER_BACKBONE_DIR", str(tmp_path))
    (tmp_path / FILE).write_bytes(b"not weights")
    with pytest.raises(FerError, match=rf"{FILE} cannot be read"):
        build_backbone("MobileNetV2", 96, "imagenet")


def test_the_first_folder_that_has_the_file_counts(tmp_path, monkeypatch, home):
    monkeypatch.delenv("FER_BACKBONE_DIR", raising=False)
    assert local_file("some.h5") is None
    folders = (str(tmp_path / name) for name in ("gone", "first", "second"))
    monkeypatch.setenv("FER_BACKBONE_DIR", os.pathsep.join(folders))
    for name in ("second", "first"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "some.h5").touch()
        assert local_file("some.h5") == tmp_path / name / "some.h5"


def test_a_short_training_shows_when_it_serves(no_download):
    network = build_backbone("MobileNetV2", 32, "random")
    layer = network.get_layer("bn_Conv1")
    start = layer.moving_variance.numpy()
    faces = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype("float32")
    for _ in range(70):
        layer(network.get_layer("Conv1")(faces), training=True)
    seen = np.var(network.get_layer("Conv1")(faces), axis=(0, 1, 2))
    gone = (layer.moving_variance.numpy() - start) / (seen - start)
    np.testing.assert_allclose(gone, 1 - 0.99**70, rtol=1e-3)


def test_a_backbone_ends_after_the_layer_that_is_named():
    whole, part = build_backbone("MobileNet", 64, "random"), build_backbone("MobileNet", 64, "random", "conv_pw_5_relu")
    assert whole.output.shape[1:] == (2, 2, 1024)
    assert part.output.shape[1:] == (8, 8, 256)
    assert [layer.name for layer in part.layers[1:]] == [layer.name for layer in whole.layers[1 : len(part.layers)]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("MobileNetV2", 96, "somewhere"), "Expected imagenet, vggface2 or random"),
        (("VGG16", 48, "vggface2"), r"Only MobileNet has weights from VGGFace2. Received: VGG16"),
        (("ResNet9000", 96, "random"), r"no backbone of that name. Expected one of: .*VGG16, .*Received: ResNet9000"),
        (("Xception", 48, "random"), "Xception cannot take faces enlarged to 48 pixels"),
        (("MobileNet", 64, "random", "conv_pw_99"), r"no layer of that name.*Received: conv_pw_99"),
    ],
)
def test_what_cannot_be_built_is_refused(arguments, message):
    with pytest.raises(FerError, match=message):
        build_backbone(*arguments)
