"""The activation maps of the served default model, on 600 test faces of FER2013."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.data import FaceDataset
from fer_core.faces import evidence_for
from fer_core.inference import Classifier, Prediction
from fer_core.labels import EXPRESSIONS
from fer_core.store.folders import load_model

FACES = 600
PATCH = 16  # pixels: two cells of the map


@pytest.fixture(scope="module")
def faces(fer2013: FaceDataset) -> np.ndarray:
    images = fer2013.split("private_test").images
    return images[np.random.default_rng(0).choice(len(images), FACES, replace=False)]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_model().classifier()


@pytest.fixture(scope="module")
def prediction(classifier, faces) -> Prediction:
    return classifier.predict(faces)


def covered(face: np.ndarray, row: int, column: int, cell: float) -> np.ndarray:
    """A face with a gray square over a cell of its map, moved inside the face if needed."""
    top, left = (int(np.clip(round((k + 0.5) * cell - PATCH / 2), 0, 48 - PATCH)) for k in (row, column))
    copy = face.copy()
    copy[top : top + PATCH, left : left + PATCH] = round(float(face.mean()))
    return copy


def test_the_means_of_the_maps_are_the_logits_and_the_evidence_against_another_expression_their_difference(prediction):
    """The bias is part of every cell. The head is stored in float32, so only rounding is left: below 1e-6 here."""
    logits = prediction.activation.mean(axis=(1, 2), dtype=np.float64)
    softmax = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax /= softmax.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, prediction.probabilities, atol=1e-5)
    for maps, probabilities in zip(prediction.activation, prediction.probabilities, strict=True):
        first, second = probabilities.argsort()[-2:][::-1]
        evidence = evidence_for(maps, EXPRESSIONS[first], against=EXPRESSIONS[second])
        ratio = np.log(probabilities[first] / probabilities[second])
        assert evidence.values.mean() == pytest.approx(ratio, abs=1e-3)


def test_improbable_expressions_stay_dark(prediction):
    """On a scale of its own, each map would reach 1."""
    peaks = np.array(
        [[evidence_for(maps, name).shares.max() for name in EXPRESSIONS] for maps in prediction.activation]
    )
    predicted = prediction.probabilities.argmax(axis=1)
    assert peaks[np.arange(FACES), predicted].mean() > 0.95
    assert np.median(peaks[prediction.probabilities < 0.03]) < 0.15
    np.testing.assert_allclose(peaks.max(axis=1), 1)


def test_covering_the_brightest_place_costs_more_than_covering_a_random_one(classifier, faces, prediction):
    """Measured: 7.2 points of probability against 3.3. The paired difference is 3.9 ± 0.7 (standard error)."""
    rng = np.random.default_rng(1)
    cells = prediction.activation.shape[1]
    predicted = prediction.probabilities.argmax(axis=1)
    brightest, random = [], []
    for face, maps, index in zip(faces, prediction.activation, predicted, strict=True):
        values = evidence_for(maps, EXPRESSIONS[index]).values
        brightest.append(covered(face, *np.unravel_index(values.argmax(), values.shape), 48 / cells))
        random.append(covered(face, *rng.integers(0, cells, 2), 48 / cells))
    every = np.arange(FACES)
    after_brightest, after_random = (
        classifier.predict(np.stack(some)).probabilities[every, predicted] for some in (brightest, random)
    )
    difference = after_random - after_brightest
    standard_error = difference.std(ddof=1) / FACES**0.5
    assert difference.mean() > 3 * standard_error
    assert difference.mean() > 0.03
    assert (difference > 0).sum() > 1.2 * (difference < 0).sum()
