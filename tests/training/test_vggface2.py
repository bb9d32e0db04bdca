"""VGGFace2's weights: the reader against bytes written by hand, and a conversion that keeps the function."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from fer_core.files import home as data_folder
from fer_core.models.backbones import VGGFACE2_FILE, build_backbone
from fer_core.training import vggface2
from fer_core.training.vggface2 import MEAN, convert, read_tensors, vggface2_weights
from fer_core.types import FerError


def files(tensors):
    """Return manifest and bytes of tensors, in float16."""
    entries = [
        {"name": name, "shape": list(values.shape), "dtype": "float32", "quantization": {"dtype": "float16"}}
        for name, values in tensors.items()
    ]
    binary = b"".join(values.astype(np.float16).tobytes() for values in tensors.values())
    return json.dumps({"weightsManifest": [{"paths": ["faceres.bin"], "weights": entries}]}).encode(), binary


@pytest.fixture(scope="module")
def original():
    """A MobileNet with random weights, and its tensors as `faceres` has them."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    tensors = {}
    network = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(64, 64, 3))
    for layer in network.layers:
        name = layer.name
        if name.startswith("conv_dw") and not name.endswith(("bn", "relu")):
            tensors[f"{name}/depthwise_kernel"] = layer.get_weights()[0].astype(np.float16).astype(np.float32)
            tensors[f"{name}_bn/batchnorm_1/mul"] = random.uniform(1, 3, layer.output.shape[-1]).astype(np.float16)
        elif name.startswith(("conv_pw", "conv1")) and not name.endswith(("bn", "relu")):
            kernel = layer.get_weights()[0] / (60 if name == "conv1" else 1)
            tensors[f"{name}/convolution/merged_input"] = kernel.astype(np.float16).astype(np.float32)
        else:
            continue
        tensors[f"{name}_bn/batchnorm_1/sub"] = random.normal(0, 0.2, layer.output.shape[-1]).astype(np.float16)
    for layer in network.layers:  # the original: factor and offset instead of a batch norm
        name = layer.name.removesuffix("_bn")
        if name == layer.name:
            kernels = [
                tensors[key]
                for key in (f"{name}/depthwise_kernel", f"{name}/convolution/merged_input")
                if key in tensors
            ]
            if kernels:
                layer.set_weights(kernels)
        else:
            offset = tensors[f"{name}_bn/batchnorm_1/sub"].astype(np.float32)
            factor = tensors.get(f"{name}_bn/batchnorm_1/mul", np.ones_like(offset)).astype(np.float32)
            zero, one = np.zeros_like(offset), np.ones_like(offset)
            layer.set_weights([factor * np.sqrt(1 + layer.epsilon), offset, zero, one])
    return network, tensors


@pytest.fixture
def faces():
    return np.random.default_rng(1).integers(0, 256, (40, 48, 48), np.uint8)


def test_tensors_are_read_in_their_order():
    tensors = {"a": np.array([[1.5, -2.0]], np.float32), "b": np.array(6.0, np.float32)}
    manifest, binary = files(tensors)
    found = read_tensors(manifest, binary)
    assert list(found) == ["a", "b"]
    np.testing.assert_array_equal(found["a"], tensors["a"])
    assert found["b"] == 6
    for damaged in (binary[:-1], binary + b"x"):
        with pytest.raises(FerError, match="does not fit"):
            read_tensors(manifest, damaged)
    with pytest.raises(FerError, match="does not fit"):
        read_tensors(b"{}", binary)


def test_the_conversion_keeps_the_function_and_has_the_statistics_of_the_faces(original, faces):
    network, tensors = original
    mine = build_backbone("MobileNet", 64, "random")
    convert(mine, {name: values.astype(np.float32) for name, values in tensors.items()}, faces)
    gray = np.asarray(keras.ops.image.resize(faces[:8, ..., None].astype(np.float32), (64, 64))).repeat(3, axis=3)
    as_original = network.predict(gray - np.array(MEAN, np.float32), verbose=0)
    # inside: at the border the original pads with the mean's level, Keras with middle gray
    whole = mine.predict(gray / 127.5 - 1, verbose=0)
    assert np.corrcoef(as_original.ravel(), whole.ravel())[0, 1] > 0.99
    layer = "conv1_relu"
    a, b = (
        keras.Model(one.input, one.get_layer(layer).output).predict(given, verbose=0)[:, 1:-1, 1:-1]
        for one, given in ((network, gray - np.array(MEAN, np.float32)), (mine, gray / 127.5 - 1))
    )
    np.testing.assert_allclose(a, b, atol=2e-3)
    before = keras.Model(mine.input, mine.get_layer("conv_dw_3").output)
    inputs = np.asarray(keras.ops.image.resize(faces[..., None].astype(np.float32), (64, 64))).repeat(3, axis=3)
    values = before.predict(inputs / 127.5 - 1, verbose=0).reshape(-1, 128)
    _, _, mean, variance = mine.get_layer("conv_dw_3_bn").get_weights()
    np.testing.assert_allclose(mean, values.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(variance, values.var(axis=0), rtol=1e-2, atol=1e-4)


def test_downloaded_once_and_kept(original, faces, home, monkeypatch, tmp_path):
    monkeypatch.delenv("FER_BACKBONE_DIR", raising=False)
    asked = []

    def get_file(name, origin, file_hash, hash_algorithm):
        asked.append((origin, file_hash, hash_algorithm))
        path = tmp_path / name
        path.write_bytes(dict(zip(vggface2.SHA256, files(original[1]), strict=True))[name])
        return str(path)

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    path = vggface2_weights(faces)
    assert path == data_folder() / "backbones" / VGGFACE2_FILE
    assert vggface2_weights(faces) == path
    assert [origin.rsplit("/", 1)[1] for origin, *_ in asked] == ["faceres.json", "faceres.bin"]
    assert all(len(digest) == 64 and kind == "sha256" for _, digest, kind in asked)
    network = build_backbone("MobileNet", 64, "vggface2")
    np.testing.assert_allclose(
        network.get_layer("conv_pw_3").get_weights()[0], original[1]["conv_pw_3/convolution/merged_input"]
    )


def test_without_network_one_sentence(faces, home, monkeypatch):
    monkeypatch.delenv("FER_BACKBONE_DIR", raising=False)

    def refuse(*_, **__):
        raise Exception("URL fetch failure on https://example.org: None -- no network")

    monkeypatch.setattr(keras.utils, "get_file", refuse)
    with pytest.raises(FerError, match=r"could not be downloaded .*no network.* set FER_BACKBONE_DIR"):
        vggface2_weights(faces)
