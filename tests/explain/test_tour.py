from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import softmax

from fer_core.data import sample_portrait
from fer_core.explain import tour
from fer_core.faces import crop_face, default_detector, framing_transform
from fer_core.models import model_spec
from fer_core.store.folders import load_model
from fer_core.types import Face, FerError


@pytest.fixture(scope="module")
def classifier():
    return load_model().classifier()


@pytest.fixture(scope="module")
def spec():
    return load_model().card.spec


@pytest.fixture(scope="module")
def sample(classifier, spec):
    return tour(classifier, spec, sample_portrait())


def finds(face):
    """A detector that always finds the same face."""
    return SimpleNamespace(note=None, detect=lambda *_, **__: [face])


def test_softmax_of_the_mean_maps_is_the_served_prediction(sample, classifier):
    picture = sample_portrait()
    crop, _ = crop_face(picture, default_detector().detect(picture)[0])
    served = classifier.predict(crop[None])
    means = served.activation[0].reshape(-1, 7).astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(softmax(means), served.probabilities[0], atol=1e-5)
    np.testing.assert_allclose(sample.softmax, served.probabilities[0], atol=1e-5)
    np.testing.assert_allclose(sample.logits, means, atol=1e-12)
    assert sample.largest_difference < 1e-5


def test_the_numbers_are_gray_levels_from_minus_one_to_one(sample):
    row, column = sample.corner
    levels = sample.result.crop[row : row + 8, column : column + 8] / 127.5 - 1
    np.testing.assert_allclose(sample.patch, levels, atol=1e-6)
    assert sample.numbers.shape == (48, 48, 1)
    assert sample.scale == pytest.approx((1 / 127.5, -1))


def test_a_tilted_head_is_turned_back(classifier, spec):
    """Eyes 40 pixels apart and 30 pixels lower at the right: atan(3 / 4) clockwise, level after the turn."""
    landmarks = np.array([[236, 250], [276, 280], [245, 280], [225, 285], [257, 309]], np.float32)
    face = Face((200.0, 220.0, 100.0, 120.0), 0.9, landmarks)
    found = tour(classifier, spec, sample_portrait(), finds(face))
    assert found.roll == pytest.approx(36.87, abs=0.01)
    left, right = landmarks[:2] @ framing_transform(face, 480)[:, :2].T
    assert left[1] == pytest.approx(right[1], abs=1e-3)
    assert found.upright.shape == (480, 480, 3)
    assert max(found.close.shape) == max(found.marked.shape) == 768


@pytest.mark.parametrize("corner", [(-40.0, -50.0), (470.0, 460.0)])
def test_a_face_at_the_edge_of_the_picture(classifier, spec, corner):
    result = tour(classifier, spec, sample_portrait(), finds(Face((*corner, 90.0, 110.0), 0.5)))
    assert (result.roll, result.faces, max(result.close.shape)) == (0, 1, 768)


def test_the_patch_lies_around_the_eye_in_a_larger_input_too(classifier, spec):
    larger = replace(model_spec("mobilenetv2_frozen"), preprocessing="none")
    result = tour(classifier, larger, sample_portrait())
    side, (row, column) = len(result.numbers), result.corner
    assert side == larger.backbone_size
    assert (row + 4) / side == pytest.approx(0.40, abs=0.01)
    assert (column + 4) / side == pytest.approx(0.31, abs=0.01)


def test_pictures_without_a_face_and_models_without_maps_of_the_whole_face_are_refused(classifier, spec):
    with pytest.raises(FerError, match=r"No face was found.* Received: 90 × 80 pixels"):
        tour(classifier, spec, np.full((80, 90, 3), 128, np.uint8))
    closer = replace(spec, preprocessing="face")
    with pytest.raises(FerError, match=f"whole face.* Received: {spec.title}"):
        tour(classifier, closer, sample_portrait())
