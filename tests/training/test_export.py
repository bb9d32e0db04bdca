"""Exported files give the same answers as the Keras network, also of the paper's architectures after two steps."""

import zipfile
from dataclasses import replace

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter

from fer_core.inference import Classifier
from fer_core.jobs import REFUSED
from fer_core.labels import EXPRESSIONS
from fer_core.models import build_network, model_spec
from fer_core.models.networks import backbone_of, with_activation_map
from fer_core.training.export import QUANTIZATIONS, keras_archive, main, to_litert, to_onnx
from fer_core.training.fit import fit
from fer_core.training.recipe import recipe_for
from tests.conftest import require_weights
from tests.made_up_store import add_models

FACES = np.random.default_rng(0).integers(0, 256, (40, 48, 48)).astype(np.uint8)


@pytest.fixture(scope="module")
def files(tiny_network):
    made = {"float32": to_litert(tiny_network, 48)}
    for quantization in QUANTIZATIONS[1:]:
        made[quantization] = to_litert(tiny_network, 48, quantization, float32=made["float32"])
    return made


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_same_answers_as_keras(tiny_network, files, quantization):
    expected = with_activation_map(tiny_network)(FACES[..., None].astype("float32"))
    served = Classifier(files[quantization]).predict(FACES)
    tolerance = {"int8": 0.03, "int8_weights": 0.01}.get(quantization, 1e-3)
    np.testing.assert_allclose(served.probabilities, expected["probabilities"], atol=tolerance)
    if quantization == "float32":
        np.testing.assert_allclose(served.activation, expected["activation"], atol=1e-3)


def test_other_backends_convert_in_a_process_with_tensorflow(tiny_network, files, monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    converted = Classifier(to_litert(tiny_network, 48)).predict(FACES).probabilities
    np.testing.assert_allclose(converted, Classifier(files["float32"]).predict(FACES).probabilities, atol=1e-5)


def test_smaller_storage_is_smaller_and_keeps_the_head_and_its_activation_map_in_float32(files):
    sizes = {quantization: len(content) for quantization, content in files.items()}
    assert sizes["float32"] > sizes["float16"] > max(sizes["int8"], sizes["int8_weights"])
    for quantization in ("int8", "int8_weights"):
        tensors = Interpreter(model_content=files[quantization]).get_tensor_details()
        kinds = {entry["name"]: entry["dtype"] for entry in tensors}
        heads = [kind for name, kind in kinds.items() if name.endswith(("head_1/MatMul", "activation_1/convolution"))]
        assert heads == [np.float32, np.float32]
        assert sum(kind == np.int8 for kind in kinds.values()) >= 5


def test_small_files_hold_the_kernels_in_half_precision(tiny_spec, tmp_path):
    network = build_network(tiny_spec)
    weights = network.get_weights()
    sizes = {}
    for small in (False, True):
        path = tmp_path / f"{small}.keras"
        path.write_bytes(keras_archive(network, small))
        sizes[small] = path.stat().st_size
        stored = keras.saving.load_model(path, compile=False, safe_mode=True).get_weights()
        for a, b in zip(stored, weights, strict=True):
            np.testing.assert_array_equal(a, np.float32(np.float16(b)) if small and b.ndim > 1 else b)
    for a, b in zip(network.get_weights(), stored, strict=True):
        np.testing.assert_array_equal(a, b)
    assert sizes[True] < 0.8 * sizes[False]


@pytest.fixture
def stored(home, tiny_network):
    """A made-up stored model with a tiny network's Keras file."""
    model = add_models(home / "models")[0]
    tiny_network.save(model.folder / "model.keras")
    return model.folder


def test_another_runtime_gives_the_same_probabilities(stored, tiny_network, tmp_path):
    assert main(stored, tmp_path / "model.onnx") == 0
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (given,), (result,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape, given.type) == ("face", ["batch", 48, 48, 1], "tensor(float)")
    assert (result.name, result.shape) == ("probabilities", ["batch", 7])
    faces = FACES[:5, ..., None].astype(np.float32)
    expected = np.asarray(tiny_network(faces))
    assert expected.std() > 0.01
    for count in (1, 5):
        (probabilities,) = session.run(None, {"face": faces[:count]})
        np.testing.assert_allclose(probabilities, expected[:count], atol=1e-3)
    model = onnx.load_from_string(to_onnx(tiny_network, preprocessing="clahe"))
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert properties == {"labels": ",".join(EXPRESSIONS), "preprocessing": "clahe"}
    assert "`clahe`" in model.doc_string


def test_no_code_of_a_keras_file_is_run_and_a_damaged_one_is_refused(stored, tmp_path, capsys):
    spoiled = keras.Sequential([keras.Input((48, 48, 1)), keras.layers.Lambda(lambda x: x)])
    spoiled.save(stored / "model.keras")
    assert main(stored, tmp_path / "model.onnx") == REFUSED
    with zipfile.ZipFile(stored / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    assert main(stored, tmp_path / "model.onnx") == REFUSED
    assert capsys.readouterr().out.count(f"The Keras weights of {stored.name} cannot be read") == 2
    assert not (tmp_path / "model.onnx").exists()


STORAGE = {  # a conversion takes seconds, so each variant has one
    "xception_frozen": "float32",
    "mobilenetv2_modified": "float32",
    "vgg16_modified": "int8_weights",
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "quantization"), STORAGE.items())
def test_trains_converts_and_serves_the_same(name, quantization, fer2013, home):
    spec, exact = model_spec(name), quantization == "float32"
    if spec.backbone == "MobileNetV2":
        require_weights("mobilenet_v2_imagenet_notop.weights.h5")
    else:
        spec = replace(spec, weights_from="random")
    if exact:  # smaller than the variant's, and fewer faces: rounding is no question here
        spec = replace(spec, backbone_size=96)
    part = fer2013.subset(np.arange(16))
    keras.utils.set_random_seed(1)
    network = build_network(spec)
    head = network.get_layer("head")
    before, frozen = head.get_weights()[0], _unopened(network)
    recipe = replace(recipe_for(spec), epochs=1, batch_size=8)
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
    faces = fer2013.split("public_test").images[: 16 if exact else 64]
    expected = network.predict(faces[..., None].astype("float32"), verbose=0)
    served = Classifier(to_litert(network, 48, quantization)).predict(faces).probabilities
    if exact:
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
