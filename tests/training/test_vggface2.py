"""VGGFace2's weights: the reader against bytes written by hand, and a conversion that keeps the function."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from fer_core.models.backbones import VGGFACE2_FILE, build_backbone
from fer_core.training.initial_weights import (
    VGGFACE2_MEAN,
    VGGFACE2_SHA256,
    convert_faceres,
    read_tensors,
    vggface2_weights,
)
from fer_core.types import FerError

FACES = np.random.default_rng(1).integers(0, 256, (40, 48, 48), np.uint8)


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
    """A MobileNet with random weights, and its tensors as `faceres` has them: factors and offsets, no batch norms."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    tensors = {}
    network = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(64, 64, 3))
    for layer in [layer for layer in network.layers if layer.weights and not layer.name.endswith("_bn")]:
        name, norm, channels = layer.name, network.get_layer(f"{layer.name}_bn"), layer.output.shape[-1]
        kernel = (layer.get_weights()[0] / (60 if name == "conv1" else 1)).astype(np.float16).astype(np.float32)
        factor = np.ones(channels, np.float32)
        offset = random.normal(0, 0.2, channels).astype(np.float16).astype(np.float32)
        if name.startswith("conv_dw"):
            factor = random.uniform(1, 3, channels).astype(np.float16).astype(np.float32)
            tensors |= {f"{name}/depthwise_kernel": kernel, f"{name}_bn/batchnorm_1/mul": factor}
        else:
            tensors[f"{name}/convolution/merged_input"] = kernel
        tensors[f"{name}_bn/batchnorm_1/sub"] = offset
        layer.set_weights([kernel])
        norm.set_weights([factor * np.sqrt(1 + norm.epsilon), offset, 0 * offset, np.ones_like(offset)])
    return network, tensors


def test_tensors_are_read_in_their_order():
    tensors = {"a": np.array([[1.5, -2.0]], np.float32), "b": np.array(6.0, np.float32)}
    manifest, binary = files(tensors)
    arrays = read_tensors(manifest, binary)
    assert list(arrays) == ["a", "b"]
    np.testing.assert_array_equal(arrays["a"], tensors["a"])
    assert arrays["b"] == 6
    for damaged in ((manifest, binary[:-1]), (manifest, binary + b"x"), (b"{}", binary)):
        with pytest.raises(FerError, match="does not fit"):
            read_tensors(*damaged)


def test_the_conversion_keeps_the_function_and_has_the_statistics_of_the_faces(original):
    network, tensors = original
    ours = build_backbone("MobileNet", 64, "random")
    convert_faceres(ours, tensors, FACES)
    gray = np.asarray(keras.ops.image.resize(FACES[..., None].astype(np.float32), (64, 64))).repeat(3, axis=3)
    inputs = {network: gray[:8] - np.array(VGGFACE2_MEAN, np.float32), ours: gray[:8] / 127.5 - 1}
    # inside: at the border the original pads with the mean's level, Keras with middle gray
    outputs = [model.predict(values, verbose=0).ravel() for model, values in inputs.items()]
    assert np.corrcoef(*outputs)[0, 1] > 0.99
    first = [
        keras.Model(model.input, model.get_layer("conv1_relu").output).predict(values, verbose=0)[:, 1:-1, 1:-1]
        for model, values in inputs.items()
    ]
    np.testing.assert_allclose(*first, atol=2e-3)
    before = keras.Model(ours.input, ours.get_layer("conv_dw_3").output)
    values = before.predict(gray / 127.5 - 1, verbose=0).reshape(-1, 128)
    _, _, mean, variance = ours.get_layer("conv_dw_3_bn").get_weights()
    np.testing.assert_allclose(mean, values.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(variance, values.var(axis=0), rtol=1e-2, atol=1e-4)


def test_downloaded_once_and_kept_and_one_sentence_without_network(original, home, monkeypatch, tmp_path):
    monkeypatch.delenv("FER_BACKBONE_DIR", raising=False)
    asked = []

    def refuse(*_, **__):
        raise Exception("URL fetch failure on https://example.org: None -- no network")

    def get_file(name, origin, file_hash, hash_algorithm):
        asked.append((origin, file_hash, hash_algorithm))
        path = tmp_path / name
        path.write_bytes(dict(zip(VGGFACE2_SHA256, files(original[1]), strict=True))[name])
        return str(path)

    monkeypatch.setattr(keras.utils, "get_file", refuse)
    with pytest.raises(FerError, match=r"could not be downloaded .*no network.* set FER_BACKBONE_DIR"):
        vggface2_weights(FACES)
    monkeypatch.setattr(keras.utils, "get_file", get_file)
    path = vggface2_weights(FACES)
    assert path == home / "backbones" / VGGFACE2_FILE
    assert vggface2_weights(FACES) == path
    assert [origin.rsplit("/", 1)[1] for origin, *_ in asked] == ["faceres.json", "faceres.bin"]
    assert all(len(digest) == 64 and kind == "sha256" for _, digest, kind in asked)
    network = build_backbone("MobileNet", 64, "vggface2")
    np.testing.assert_allclose(
        network.get_layer("conv_pw_3").get_weights()[0], original[1]["conv_pw_3/convolution/merged_input"]
    )
