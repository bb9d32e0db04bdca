"""All faces of a picture, classified."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from fer_core.data import SPLITS, sample_portrait
from fer_core.faces import FallbackDetector
from fer_core.inference import FaceAnalyzer
from fer_core.store.folders import load_model
from fer_core.types import Face
from tests.conftest import require
from tests.faces.scenes import scene_with_face


def test_serving_never_imports_tensorflow():
    program = "import fer_core.inference, sys; assert not {'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture(scope="module")
def analyzer():
    return FaceAnalyzer(load_model("compact_cnn").classifier())


def test_one_smiling_face_on_the_sample(analyzer):
    (result,) = analyzer.analyze(sample_portrait())
    assert result.expression == "happy"
    assert result.crop.shape == (48, 48)
    assert result.activation.shape == (6, 6, 7)
    assert result.probabilities.sum() == pytest.approx(1, abs=1e-4)


def test_a_model_that_takes_the_face_as_one_piece_tells_no_places():
    """VGG16 shrinks 48 pixels to one."""
    classifier = load_model("vgg16_frozen_utk").classifier()
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


def test_the_fallback_finds_the_sample_too(analyzer):
    assert len(FaceAnalyzer(analyzer.classifier, FallbackDetector()).analyze(sample_portrait())) == 1


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
