"""The blocks of a network for its diagram, against Keras' own numbers."""

from dataclasses import replace

import numpy as np
import pytest

from fer_core.figures.diagram import diagram_text, network_diagram
from fer_core.models import build_network, model_spec
from fer_core.models.diagram import network_blocks
from fer_core.models.networks import backbone_of


def blocks_of(name, **changes):
    network = build_network(replace(model_spec(name), weights_from="random", **changes))
    return network, network_blocks(network)


@pytest.mark.parametrize("name", ["vgg16_modified", "mobilenetv2_frozen", "mobilenet_faces"])
def test_blocks_have_all_weights_and_say_which_are_trained(name):
    network, blocks = blocks_of(name)
    backbone = backbone_of(network)
    assert sum(block["weights"] for block in blocks) == network.count_params()
    inside = [block for block in blocks if block["state"] in ("frozen", "trained")]
    assert sum(block["weights"] for block in inside) == backbone.count_params()
    opened = sum(block["layers"] for block in blocks if block["state"] == "trained")
    assert opened == model_spec(name).open_layers
    assert inside[-1]["shape"] == " × ".join(map(str, backbone.output.shape[1:]))


def test_the_compact_network_and_what_stands_before_a_backbone():
    _, compact = blocks_of("compact_cnn")
    assert [compact[0]["shape"], compact[-1]["shape"]] == ["48 × 48 × 1", "7"]
    assert [block["shape"] for block in compact if block["name"].startswith("Block")][-1] == "6 × 6 × 192"
    assert {block["state"] for block in compact} == {"fixed", "trained"}
    _, blocks = blocks_of("mobilenetv2_frozen_noise_normfirst", backbone_size=32)
    names = [block["name"] for block in blocks]
    assert names[:4] == ["Gray face", "Batch norm", "Gaussian noise", "Resized"]


@pytest.mark.parametrize("narrow", [False, True])
def test_the_diagram_has_every_block_in_words(narrow):
    _, blocks = blocks_of("mobilenetv2_frozen", backbone_size=32)
    figure = network_diagram(blocks, narrow=narrow)
    assert len(figure.layout.shapes) == len(blocks)
    said = " ".join(note.text for note in figure.layout.annotations)
    for block in blocks:
        assert block["name"] in said and block["shape"] in said and block["name"] in diagram_text(blocks)
    assert said.count("frozen") == sum(block["state"] == "frozen" for block in blocks)
    assert min(note.font.size for note in figure.layout.annotations) >= 15, "readable from the last row"
    assert np.isfinite(figure.layout.height)
