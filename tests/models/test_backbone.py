"""Where the backbone's weights come from, and the sentence where they cannot be had."""

from __future__ import annotations

import os

import keras
import numpy as np
import pytest

from fer_core.models.backbone import (
    BACKBONE_SIZES,
    backbone_names,
    build_backbone,
    local_file,
    preprocessing,
    weights_digest,
    weights_file,
)
from fer_core.types import FerError
from tests.conftest import require_weights

FILE = "mobilenet_v2_imagenet_notop.weights.h5"


@pytest.fixture
def no_download(monkeypatch):
    def refuse(*args, **kwargs):
        raise Exception("URL fetch failure on https://example.org: None -- no network")

    monkeypatch.setattr("keras.src.applications.mobilenet_v2.file_utils.get_file", refuse)


def test_local_folder_is_read(no_download):
    path = require_weights(FILE)
    ours = build_backbone("MobileNetV2", 96, "imagenet")
    plain = keras.applications.MobileNetV2((96, 96, 3), include_top=False, weights=None)
    assert weights_digest(ours) != weights_digest(plain)
    plain.load_weights(path)
    assert weights_digest(ours) == weights_digest(plain)
    for a, b in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("folder", [None, "empty", "gone"])
def test_without_file_and_network_one_sentence(no_download, folder, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    if folder is None:
        monkeypatch.delenv("FER_BACKBONE_DIR", raising=False)
    else:
        monkeypatch.setenv("FER_BACKBONE_DIR", str(tmp_path / folder))
    with pytest.raises(FerError, match=r"could not be downloaded .*no network.* set FER_BACKBONE_DIR") as caught:
        build_backbone("MobileNetV2", 96, "imagenet")
    assert "\n" not in str(caught.value)


def test_damaged_file_is_named(no_download, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_BACKBONE_DIR", str(tmp_path))
    (tmp_path / FILE).write_bytes(b"not weights")
    with pytest.raises(FerError, match=rf"{FILE} cannot be read"):
        build_backbone("MobileNetV2", 96, "imagenet")


def test_a_short_training_shows_when_it_serves(no_download):
    """With MobileNetV2's own momentum of 0.999 the moving averages would be three quarters start after 300 steps."""
    network = build_backbone("MobileNetV2", 32, "random")
    layer = network.get_layer("bn_Conv1")
    start = layer.moving_variance.numpy()
    faces = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype("float32")
    for _ in range(70):
        layer(network.get_layer("Conv1")(faces), training=True)
    seen = np.var(network.get_layer("Conv1")(faces), axis=(0, 1, 2))
    gone = (layer.moving_variance.numpy() - start) / (seen - start)
    np.testing.assert_allclose(gone, 1 - 0.99**70, rtol=1e-3)


def test_unknown_source_is_refused():
    with pytest.raises(FerError, match="Expected imagenet, vggface2 or random"):
        build_backbone("MobileNetV2", 96, "somewhere")


def test_faces_weights_are_of_one_backbone_only():
    with pytest.raises(FerError, match=r"Only MobileNet has weights from VGGFace2. Received: VGG16"):
        build_backbone("VGG16", 48, "vggface2")


def test_a_backbone_ends_after_the_layer_that_is_named():
    whole, part = build_backbone("MobileNet", 64, "random"), build_backbone("MobileNet", 64, "random", "conv_pw_5_relu")
    assert whole.output.shape[1:] == (2, 2, 1024)
    assert part.output.shape[1:] == (8, 8, 256)
    assert [layer.name for layer in part.layers[1:]] == [layer.name for layer in whole.layers[1 : len(part.layers)]]
    with pytest.raises(FerError, match=r"no layer of that name.*Received: conv_pw_99"):
        build_backbone("MobileNet", 64, "random", "conv_pw_99")


def test_the_first_folder_that_has_the_file_counts(tmp_path, monkeypatch, home):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("FER_BACKBONE_DIR", os.pathsep.join(str(tmp_path / name) for name in ("gone", "one", "two")))
    assert local_file("some.h5") is None
    (tmp_path / "two" / "some.h5").touch()
    assert local_file("some.h5") == tmp_path / "two" / "some.h5"
    (tmp_path / "one" / "some.h5").touch()
    assert local_file("some.h5") == tmp_path / "one" / "some.h5"


def test_unknown_or_too_small_is_refused():
    with pytest.raises(FerError, match=r"Expected one of: VGG16, .*Received: ResNet9000"):
        build_backbone("ResNet9000", 96, "random")
    with pytest.raises(FerError, match="Xception cannot take faces enlarged to 48 pixels"):
        build_backbone("Xception", 48, "random")


@pytest.mark.parametrize("name", backbone_names())
def test_preprocessing_is_the_applications_own(name):
    import importlib

    module = importlib.import_module(getattr(keras.applications, name).__module__)
    faces = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1)).repeat(3, axis=3).astype("float64")
    scale, offset = preprocessing(name)
    np.testing.assert_allclose(faces * scale + offset, module.preprocess_input(faces.copy()), atol=1e-4)


def test_every_application_has_a_name_and_a_local_file():
    names = backbone_names()
    assert names[: len(BACKBONE_SIZES)] == list(BACKBONE_SIZES)
    assert {"ResNet101", "ConvNeXtTiny", "EfficientNetB7", "VGG19"} <= set(names)
    assert len(set(map(weights_file, names))) == len(names)
    assert weights_file("MobileNetV2") == FILE
    assert weights_file("VGG16") == "vgg16_imagenet_notop.weights.h5"
