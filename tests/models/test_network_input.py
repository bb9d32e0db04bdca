"""The input of networks, computed without Keras, against the layers of the networks themselves."""

import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_core.models import build_network, model_spec, network_names
from fer_core.models.backbone import backbone_names
from fer_core.models.network_input import BACKBONE_SCALES, input_picture, network_input
from fer_core.models.transfer import backbone_input
from fer_core.types import FerError

FACE = np.random.default_rng(3).integers(0, 256, (48, 48)).astype(np.uint8)
BACKBONES = {model_spec(name).backbone: model_spec(name) for name in network_names() if model_spec(name).backbone}


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_backbone_gets_what_its_network_computes(backbone):
    spec = BACKBONES[backbone]
    inputs = keras.Input((48, 48, 1))
    layers = keras.Model(inputs, backbone_input(inputs, spec))
    expected = layers.predict(FACE[None, ..., None].astype("float32"), verbose=0)[0]
    np.testing.assert_allclose(network_input(FACE, spec), expected, atol=2e-2 if expected.max() > 10 else 2e-4)


def test_the_compact_network_gets_what_its_layer_computes(tiny_spec):
    network = build_network(tiny_spec)
    layers = keras.Model(network.input, network.get_layer("scale").output)
    expected = layers.predict(FACE[None, ..., None].astype("float32"), verbose=0)[0]
    np.testing.assert_allclose(network_input(FACE, tiny_spec), expected, atol=1e-6)


def test_every_backbone_of_keras_has_a_scale():
    assert set(backbone_names()) == set(BACKBONE_SCALES)
    with pytest.raises(FerError, match=r"not known.*Received: Newer"):
        network_input(FACE, replace(BACKBONES["VGG16"], backbone="Newer"))


def test_pictures_have_the_networks_size_and_keep_black_and_white():
    face = np.tile(np.array([0, 255], np.uint8).repeat(24), (48, 1))
    for name, shape in (
        ("compact_cnn", (48, 48)),
        ("mobilenetv2_modified", (160, 160, 3)),
        ("mobilenetv2_modified_utk", (96, 96, 3)),
        ("xception_frozen", (71, 71, 3)),
    ):
        picture = input_picture(network_input(face, model_spec(name)), model_spec(name))
        assert picture.shape == shape
        assert (picture[:, 0] == 0).all()
        assert (picture[:, -1] == 255).all()


@pytest.mark.parametrize("name", ["vgg16_modified", "densenet121_modified"])
def test_different_means_give_a_blue_tint(name):
    spec = model_spec(name)
    red, _, blue = input_picture(network_input(np.full((48, 48), 128, np.uint8), spec), spec)[20, 20].tolist()
    assert blue > red + 10


def test_importing_it_imports_no_keras():
    program = (
        "import fer_core.models.network_input, sys; assert not {'keras', 'tensorflow', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
