"""Where a training starts from: pretrained backbones, stored models, and the sentence where these lack."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from fer_core.models import model_spec
from fer_core.models.backbones import VGGFACE2_FILE, build_backbone, weights_file
from fer_core.models.networks import backbone_of
from fer_core.store import folders
from fer_core.store.folders import DEFAULT_MODEL, SHIPPED, load_model
from fer_core.training.export import to_litert
from fer_core.training.initial_weights import (
    VGGFACE2_MEAN,
    VGGFACE2_SHA256,
    convert_faceres,
    initial_network,
    initial_two_heads,
    pretraining_note,
    read_backbone,
    read_tensors,
    stored_backbone,
    stored_network,
    vggface2_weights,
    weight_sources,
)
from fer_core.training.targets import heads_of, with_votes_head
from fer_core.types import FerError
from tests.made_up_store import add_model
from tests.training.conftest import store


def test_only_weights_that_fit_are_available(home, tmp_path, monkeypatch):
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / DEFAULT_MODEL).symlink_to(SHIPPED / DEFAULT_MODEL)
    monkeypatch.setattr(folders, "SHIPPED", shipped)
    assert weight_sources(model_spec("compact_cnn")) == (["random", DEFAULT_MODEL], [])
    add_model(folders.promoted(), "damaged", spec={"architecture": 7})
    add_model(folders.promoted(), "kept", spec=model_spec("vgg16_modified").as_dict())
    names, notes = weight_sources(model_spec("vgg16_modified"))
    assert names[:2] == ["imagenet", "random"]
    assert "kept is not available" in " ".join(notes)
    assert "pretrain VGG16" in " ".join(notes)
    (shipped / "vgg16_frozen_faces").symlink_to(SHIPPED / "vgg16_frozen_faces")
    assert "faces" in weight_sources(model_spec("vgg16_modified"))[0], "taken from a shipped model"
    assert stored_backbone(model_spec("vgg16_modified_face_faces")).name == "vgg16_frozen_faces"
    (shipped / "resnet50_frozen_utk").symlink_to(SHIPPED / "resnet50_frozen_utk")
    assert stored_backbone(model_spec("resnet50_frozen_utk")) is None, "its normalisations are folded into its weights"
    names, notes = weight_sources(model_spec("xception_frozen"))
    assert "utkface" not in names
    assert "pretrain Xception" in " ".join(notes)
    weights = home / "backbones" / "xception_71_utkface.weights.h5"
    weights.parent.mkdir()
    weights.touch()
    assert "utkface" in weight_sources(model_spec("xception_frozen"))[0]


@pytest.mark.parametrize(
    ("model", "file"),
    [
        ("vgg16_frozen", "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        ("mobilenetv2_frozen", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_160_no_top.h5"),
        ("efficientnetv2b0_modified", "efficientnetv2-b0_notop.h5"),
        ("mobilenetv3small_frozen", "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5"),
        ("nasnetmobile_frozen", "nasnet_mobile_no_top.h5"),
        ("resnet50_frozen", "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        ("inceptionresnetv2_frozen", "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    ],
)
def test_imagenet_weights_are_here_where_a_training_finds_them(model, file, home, tmp_path, monkeypatch):
    spec, folders_of = model_spec(model), {"given": tmp_path / "given", "cache": tmp_path / "keras" / "models"}
    monkeypatch.setenv("FER_BACKBONE_DIR", str(folders_of["given"]))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    folders_of |= {"own": home / "backbones"}
    for folder in folders_of.values():
        folder.mkdir(parents=True)

    def here():
        return not any("ImageNet" in note for note in weight_sources(spec)[1])

    for folder, name in (("given", file), ("cache", weights_file(spec.backbone)), ("cache", f"x{file}")):
        (folders_of[folder] / name).touch()
    for other in ("resnet50v2_weights_notop.h5", "mobilenet_v2_weights_1.0_224_no_top.h5", file.replace("no", "")):
        (folders_of["cache"] / other).touch()
    assert not here(), "build_backbone would not read any of these"
    for folder, name in (("cache", file), ("given", weights_file(spec.backbone)), ("own", weights_file(spec.backbone))):
        (folders_of[folder] / name).touch()
        assert here()
        (folders_of[folder] / name).unlink()


def test_a_stored_model_and_its_two_heads_are_started_from(tiny_spec, tiny_network, home):
    folder = store("mine", tiny_network, tiny_spec)
    started = initial_network(replace(tiny_spec, weights_from="mine"), "mixed_bfloat16")
    for a, b in zip(started.get_weights(), tiny_network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(FerError, match="do not fit tiny"):
        initial_network(replace(tiny_spec, weights_from="mine", widths=(8, 8, 12, 20)))
    with pytest.raises(FerError, match="no trained model of that name"):
        initial_network(replace(tiny_spec, weights_from="gone"))
    with pytest.raises(FerError, match="Only models with a backbone"):
        initial_network(replace(tiny_spec, weights_from="faces"))
    faces = np.random.default_rng(0).integers(0, 256, (4, 48, 48, 1)).astype("float32")
    both = with_votes_head(tiny_network)
    expected = np.asarray(both(faces))
    spec = replace(tiny_spec, weights_from="mine")
    started = np.asarray(initial_two_heads(initial_network(spec), spec)(faces))
    np.testing.assert_allclose(started[:, :7], expected[:, :7], atol=1e-5)
    assert np.abs(started[:, 7:] - expected[:, 7:]).max() > 1e-3  # random
    np.save(folder / "heads.npy", heads_of(both)[::-1])
    started = np.asarray(initial_two_heads(initial_network(spec), spec)(faces))
    np.testing.assert_allclose(started, np.roll(expected, 7, axis=1), atol=1e-5)


def test_a_model_of_other_classes_gives_all_but_its_head(tiny_spec, tiny_network, home):
    store("seven", tiny_network, tiny_spec)
    own = replace(tiny_spec, weights_from="seven", classes=("calm", "pain", "happy", "sad", "angry", "a", "b"))
    started, given = initial_network(own).get_weights(), tiny_network.get_weights()
    same = [np.array_equal(one, other) for one, other in zip(started, given, strict=True)]
    assert same == [True] * (len(same) - 2) + [False] * 2, "though its head has the same shape"
    three = replace(own, classes=own.classes[:3])
    store("three", initial_network(three), three)
    again = initial_network(replace(three, weights_from="three")).get_weights()
    assert all(map(np.array_equal, again, stored_network("three").get_weights()))
    assert again[-1].shape == (3,)


def test_keras_files_are_read_in_safe_mode_only(tiny_spec, home, tmp_path, monkeypatch):
    """A Lambda layer carries code, which must not run; a damaged file carries nothing."""
    monkeypatch.chdir(tmp_path)
    inputs = keras.Input((48, 48, 1))
    evil = keras.Model(inputs, keras.layers.Lambda(lambda x: (__import__("pathlib").Path("ran").touch(), x)[1])(inputs))
    file = store("evil", evil, tiny_spec) / "model.keras"
    Path("ran").unlink()  # building the network has run it
    with pytest.raises(FerError, match="cannot be read"):
        stored_network("evil")
    assert not Path("ran").exists()
    keras.saving.load_model(file, safe_mode=False)
    assert Path("ran").exists(), "without safe mode it does run"
    for content in (b"{}", b" " * 20_000_000):  # a damaged one, and one that would fill memory
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.json", content)
        with pytest.raises(FerError, match="cannot be read"):
            stored_network("evil")
    file.unlink()
    with pytest.raises(FerError, match="has no Keras weights"):
        initial_network(replace(tiny_spec, weights_from="evil"))


def small_vgg():
    layers = [
        keras.layers.Conv2D(filters, 3, padding="same", activation="relu", bias_initializer="random_normal", name=name)
        for name, filters in (("block1_conv1", 8), ("block1_conv2", 8), ("block2_conv1", 12))
    ]
    return keras.Sequential([keras.Input((32, 32, 3)), *layers[:2], keras.layers.MaxPooling2D(), layers[2]], name="vgg")


@pytest.mark.parametrize("storage", ["float32", "int8", "int8_weights", "float16"])
def test_weights_come_back_to_the_last_bit_that_is_stored(storage):
    """Of a small VGG, from a network on it, as `transfer_network` builds them."""
    keras.utils.set_random_seed(0)
    backbone, inputs = small_vgg(), keras.Input((None, None, 1))
    x = keras.layers.Resizing(32, 32)(inputs)
    x = keras.layers.Identity(name="features")(backbone(keras.layers.Concatenate()([x, x, x])))
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    network = keras.Model(inputs, keras.layers.Dense(7, activation="softmax", name="head")(x))
    content, ours = to_litert(network, 48, storage), small_vgg()
    read_backbone(ours, content)
    for stored, original in zip(ours.get_weights(), backbone.get_weights(), strict=True):
        largest = np.abs(original).max(axis=tuple(range(original.ndim - 1)))
        step = {"float32": 0.0, "float16": 2.0**-10}.get(storage, 1 / 127 if original.ndim > 1 else 0.0) * largest
        assert (np.abs(stored - original) <= step / 2 + 1e-7).all()
    other = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(9, 3, name="block1_conv1")])
    with pytest.raises(FerError, match=r"no weights for the layer block1_conv1\. Expected the shape \(9, 3, 3, 3\)"):
        read_backbone(other, content)


@pytest.mark.slow
def test_training_starts_from_it_where_nothing_is_pretrained(home):
    spec = model_spec("vgg16_modified_faces")
    told = pretraining_note(spec)
    assert told["read_from"] == "vgg16_frozen_faces, weights in float16"
    assert told["recipe"]["epochs"] == load_model("vgg16_frozen_faces").card.training["pretraining"]["recipe"]["epochs"]
    one, other = (backbone_of(initial_network(spec)).get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


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
    outputs = [np.asarray(model(values)).ravel() for model, values in inputs.items()]
    assert np.corrcoef(*outputs)[0, 1] > 0.99
    first = [
        np.asarray(keras.Model(model.input, model.get_layer("conv1_relu").output)(values))[:, 1:-1, 1:-1]
        for model, values in inputs.items()
    ]
    np.testing.assert_allclose(*first, atol=2e-3)
    before = keras.Model(ours.input, ours.get_layer("conv_dw_3").output)
    values = np.asarray(before(gray / 127.5 - 1)).reshape(-1, 128)
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
