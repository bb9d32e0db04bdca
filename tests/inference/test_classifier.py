"""The served classifier: batches, threads, mirror images, bad files; and all faces of a picture."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

from fer_core.data import SPLITS, sample_portrait
from fer_core.faces import HaarDetector
from fer_core.inference import Classifier, FaceAnalyzer
from fer_core.store import load_model, open_model
from fer_core.types import Face, FerError
from tests.conftest import require
from tests.faces.scenes import scene_with_face


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(0).integers(0, 256, (70, 48, 48)).astype(np.uint8)


@pytest.fixture(scope="module")
def one_by_one(tiny_classifier, faces):
    return np.concatenate([tiny_classifier.predict(face[None]).probabilities for face in faces])


@pytest.mark.parametrize("count", [0, 1, 2, 31, 32, 33, 70])
def test_any_batch_size_gives_the_same_answers(tiny_classifier, faces, one_by_one, count):
    prediction = tiny_classifier.predict(faces[:count])
    assert prediction.probabilities.shape == (count, 7)
    assert prediction.activation.shape == (count, 6, 6, 7)
    np.testing.assert_allclose(prediction.probabilities, one_by_one[:count], atol=1e-5)
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1, atol=1e-5)


def test_flip_is_the_mean_with_the_mirror_image(tiny_classifier, faces):
    plain, mirrored = tiny_classifier.predict(faces[:5]), tiny_classifier.predict(faces[:5, :, ::-1])
    both = tiny_classifier.predict(faces[:5], flip=True)
    np.testing.assert_allclose(both.probabilities, (plain.probabilities + mirrored.probabilities) / 2, atol=1e-6)
    np.testing.assert_allclose(both.activation, (plain.activation + mirrored.activation[:, :, ::-1]) / 2, atol=1e-5)


def test_many_threads_at_once(tiny_classifier, faces, one_by_one):
    answers: dict[int, np.ndarray] = {}

    def session(number: int) -> None:
        for _ in range(5):
            answers[number] = tiny_classifier.predict(faces).probabilities

    threads = [threading.Thread(target=session, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    for answer in answers.values():
        np.testing.assert_allclose(answer, one_by_one, atol=1e-5)


def test_other_sizes_are_resized(tiny_classifier, faces):
    doubled = np.kron(faces[:2], np.ones((1, 2, 2), np.uint8))
    expected = tiny_classifier.predict(faces[:2]).probabilities
    np.testing.assert_allclose(tiny_classifier.predict(doubled).probabilities, expected, atol=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((48, 48), np.uint8),
        np.zeros((1, 48, 48, 3), np.uint8),
        np.zeros((1, 48, 48), np.float32),
    ],
)
def test_wrong_arrays_are_refused(tiny_classifier, wrong):
    with pytest.raises(ValueError, match=r"uint8 gray faces of shape \(n, height, width\)"):
        tiny_classifier.predict(wrong)


def test_bad_files_are_refused(tmp_path):
    with pytest.raises(FerError, match="cannot be read"):
        Classifier(tmp_path / "missing.tflite")
    for name, content in {"empty": b"", "text": b"hello", "noise": bytes(range(256)) * 40}.items():
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(content)
        with pytest.raises(FerError, match="not a FER Lab model file"):
            Classifier(path)


def test_serving_never_imports_tensorflow():
    program = "import fer_core.inference, sys; assert not {'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture(scope="module")
def analyzer():
    return FaceAnalyzer(Classifier(load_model("compact_cnn").weights))


def test_one_smiling_face_on_the_sample(analyzer):
    (result,) = analyzer.analyze(sample_portrait())
    assert result.expression == "happy"
    assert result.crop.shape == (48, 48)
    assert result.activation.shape == (6, 6, 7)
    assert result.probabilities.sum() == pytest.approx(1, abs=1e-4)


def test_a_model_that_takes_the_face_as_one_piece_tells_no_places():
    """VGG16 shrinks 48 pixels to one."""
    classifier = Classifier.of(load_model("vgg16_frozen_utk"))
    assert classifier.predict(np.zeros((1, 48, 48), np.uint8)).activation.shape == (1, 1, 1, 7)
    (result,) = FaceAnalyzer(classifier).analyze(sample_portrait())
    assert result.activation is None


def test_no_face_gives_no_result(analyzer):
    assert analyzer.analyze(np.full((300, 400, 3), 128, np.uint8)) == []


def test_whole_image_is_one_face_and_equals_the_classifier(analyzer):
    face = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    (result,) = analyzer.analyze(np.repeat(face[:, :, None], 3, axis=2), whole_image=True)
    expected = analyzer.classifier.predict(face[None]).probabilities[0]
    np.testing.assert_allclose(result.probabilities, expected, atol=0.02)


def test_results_keep_the_order_of_the_faces(analyzer):
    portrait = sample_portrait()
    (found,) = analyzer.analyze(portrait)
    corner = Face((0.0, 0.0, 60.0, 80.0), 1.0)
    results = analyzer.classify(portrait, [corner, found.face])
    assert results[0].face is corner
    np.testing.assert_allclose(results[1].probabilities, found.probabilities, atol=1e-5)


def test_haar_finds_the_sample_too(analyzer):
    assert len(FaceAnalyzer(analyzer.classifier, HaarDetector()).analyze(sample_portrait())) == 1


def test_accuracy_on_found_faces_is_within_three_points_of_the_originals(analyzer, fer2013):
    require("FER_YUNET_MODEL", "needs YuNet's weights")
    part = fer2013.split(SPLITS[2]).subset(np.arange(0, 3500, 14))
    direct = analyzer.classifier.predict(part.images).probabilities.argmax(axis=1)
    found, right_found, right_direct = 0, 0, 0
    for number, (face, label) in enumerate(zip(part.images, part.labels, strict=True)):
        results = analyzer.analyze(scene_with_face(face, seed=number).image)
        if results:
            found += 1
            right_found += int(results[0].probabilities.argmax()) == label
            right_direct += int(direct[number]) == label
    assert found >= 0.97 * len(part)
    assert abs(right_found - right_direct) / found <= 0.03


def test_a_file_that_is_not_the_one_of_the_card(tmp_path):
    """A changed weight would still load, and answer wrongly."""
    good = load_model()
    folder = tmp_path / good.name
    shutil.copytree(good.folder, folder, ignore=shutil.ignore_patterns("*.keras", "*.parquet"))
    content = bytearray(good.weights.read_bytes())
    content[len(content) // 2] ^= 1
    (folder / good.weights.name).write_bytes(content)
    with pytest.raises(FerError, match=r"damaged or was changed: its SHA-256 is not the one in its card"):
        Classifier.of(open_model(folder))
