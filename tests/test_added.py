"""Model files that were made elsewhere: their answers equal a computation by hand, and what cannot be used is said."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from fer_core.added import ModelFile, Takes, scaled
from fer_core.classifier import Classifier
from fer_core.data import FaceDataset
from fer_core.labels import EXPRESSIONS
from fer_core.types import FerError

LEVELS = np.arange(7) * 40  # the gray level that stands for each expression
ORDER = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear")


def by_level(scale="-1-1", order=ORDER, shape=("n", 1, 48, 48), **change):
    """Return an ONNX file that knows an expression by the mean gray level; its outputs are logits in this order."""
    classes = [EXPRESSIONS.index(name) if name in EXPRESSIONS else 0 for name in order]
    centres = scaled(LEVELS[classes].astype(np.float32)[:, None, None], "gray", scale).reshape(1, -1)
    centres[0, [name not in EXPRESSIONS for name in order]] = 1e6
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "axes"], ["column"]),
        helper.make_node("Sub", ["column", "centres"], ["difference"]),
        helper.make_node("Abs", ["difference"], ["distance"]),
        helper.make_node(change.get("last", "Neg"), ["distance"], ["logits"], domain=change.get("domain", "")),
    ]
    weights = [
        numpy_helper.from_array(np.array([1]), "axes"),
        numpy_helper.from_array(np.float32(0 * centres if change.get("last") == "Log" else centres), "centres"),
    ]
    if change.get("beside"):
        weights[1].ClearField("raw_data")
        weights[1].data_location = TensorProto.EXTERNAL
        weights[1].external_data.add(key="location", value=change["beside"])
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(order)])
    graph = helper.make_graph(nodes, "by level", [picture], [logits], weights)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("elsewhere", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def shown_by_level():
    """Return a dataset whose faces show their expression by the gray level, all but every ninth one."""
    usage = np.repeat(["Training", "PublicTest", "PrivateTest"], [280, 63, 63])
    labels = np.arange(len(usage)) % 7
    shown = np.where(np.arange(len(usage)) % 9 == 0, (labels + 1) % 7, labels)
    images = np.full((len(usage), 48, 48), LEVELS[shown][:, None, None], np.uint8)
    images[:, 0, 0] = np.arange(len(usage)) % 251  # no two faces are equal
    return FaceDataset(images, labels, usage, np.full(len(usage), -1))


def write_shown_by_level(path):
    """Write the same as a CSV of FER2013's form."""
    faces = shown_by_level()
    rows = zip(faces.labels, (" ".join(map(str, face.ravel())) for face in faces.images), faces.usage, strict=True)
    path.write_text("emotion,pixels,Usage\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows), encoding="utf-8")
    return path


def flat_faces(labels):
    return np.full((len(labels), 48, 48), LEVELS[labels][:, None, None], np.uint8)


@pytest.mark.parametrize("scale", ["-1-1", "0-255", "imagenet"])
@pytest.mark.parametrize("shape", [("n", 1, 48, 48), (1, 48, 48, 1), ("n", 48, 48, 3), (1, 3, "side", "side")])
def test_a_file_answers_in_our_order_whatever_its_layout(scale, shape):
    colour = "bgr" if 3 in shape else "gray"
    takes = Takes(48, colour, scale, ORDER, logits=True)
    classifier = Classifier(by_level(scale, shape=shape), takes=takes)
    labels = np.arange(40) % 7
    prediction = classifier.predict(flat_faces(labels), flip=True)
    assert prediction.probabilities.argmax(axis=1).tolist() == labels.tolist()
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(np.exp(prediction.activation[:, 0, 0]), prediction.probabilities, rtol=1e-5)
    assert (classifier.input_size, classifier.locates) == (48, False)
    assert classifier.predict(np.zeros((0, 48, 48), np.uint8)).probabilities.shape == (0, 7)


def test_scales_are_those_of_the_libraries():
    face = np.array([[[0, 255], [51, 102]]], np.float32)
    red, green, blue = (scaled(face, "rgb", "imagenet")[..., channel] for channel in range(3))
    np.testing.assert_allclose(red, (face / 255 - 0.485) / 0.229, rtol=1e-4)  # as torchvision's documentation has it
    np.testing.assert_allclose(green, (face / 255 - 0.456) / 0.224, rtol=1e-4)
    np.testing.assert_allclose(scaled(face, "bgr", "imagenet")[..., 0], blue)
    np.testing.assert_allclose(scaled(face, "bgr", "caffe")[0, 0, 0], [-103.939, -116.779, -123.68])
    each = scaled(face, "gray", "each")
    np.testing.assert_allclose([each.mean(), each.std()], [0, 1], atol=1e-6)


def test_another_class_is_left_out_and_the_seven_sum_to_one():
    names = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
    classifier = Classifier(by_level(order=(*ORDER, "contempt")), takes=Takes(48, "gray", "-1-1", names, logits=True))
    answers = classifier.predict(flat_faces(np.arange(7))).probabilities
    assert answers.argmax(axis=1).tolist() == list(range(7))
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"cannot be opened as a model"),
        (b"junk" * 100, r"cannot be opened as a model.* 400 bytes"),
        (by_level()[:300], r"cannot be opened as a model"),
        (b"\0\0\0\0TFL3" + b"\1" * 100, r"cannot be opened as a model"),
        (by_level(domain="elsewhere"), r"cannot be opened as a model"),
        (by_level(beside="weights.bin"), r"cannot be opened as a model"),
        (by_level(shape=("n", 1, 48, 40)), r"one input, .* Received: \[None, 1, 48, 40\]"),
        (by_level(shape=("n", 2, 48, 48)), r"Received: \[None, 2, 48, 48\]"),
        (by_level(shape=(16, 1, 48, 48)), r"Received: \[16, 1, 48, 48\]"),
        (by_level(order=(*ORDER, "contempt")), r"Expected 7 numbers .* \(2, 8\) for 2.* --classes"),
        (by_level(last="Log"), r"not finite"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(content, words, tmp_path, monkeypatch):
    (tmp_path / "weights.bin").write_bytes(np.zeros(7, np.float32).tobytes())
    monkeypatch.chdir(tmp_path)  # files of weights beside an ONNX file are not read, even where they are there
    faces = np.zeros((2, 48, 48), np.float32)
    with pytest.raises(FerError, match=words):
        ModelFile(content).outputs(faces, colour="gray", scale="0-1")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((48, "gray", "0-2"), "a scale of"),
        ((48, "cmyk", "0-1"), "a colour of"),
        ((0, "gray", "0-1"), "a size of"),
        ((48, "gray", "0-1", ORDER[1:]), r"Missing: neutral"),
        ((48, "gray", "0-1", (*ORDER, "sadness")), r"Received twice: sadness"),
    ],
)
def test_what_a_file_takes_is_checked(values, words):
    with pytest.raises(FerError, match=words):
        Takes(*values)


def test_what_a_file_takes_comes_back_from_a_card():
    takes = Takes(64, "bgr", "each", ORDER, logits=True)
    assert Takes.from_dict(json.loads(json.dumps(asdict(takes)))) == takes
    with pytest.raises(FerError, match="does not say how its file takes pictures"):
        Takes.from_dict({"size": 48})
