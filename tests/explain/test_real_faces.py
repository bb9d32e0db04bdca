import numpy as np
import pytest

from fer_core.faces import evidence_for
from fer_core.labels import EXPRESSIONS
from fer_core.store.folders import load_model

FACES = 600
PATCH = 16  # pixels: two cells of the map


@pytest.fixture(scope="module")
def predicted(fer2013):
    """The classifier, the faces, and its predictions."""
    images, classifier = fer2013.split("private_test").images, load_model().classifier()
    faces = images[np.random.default_rng(0).choice(len(images), FACES, replace=False)]
    return classifier, faces, classifier.predict(faces)


def covered(face: np.ndarray, row: int, column: int, cell: float) -> np.ndarray:
    """A face with a gray square over a cell of its map, moved inside the face if needed."""
    top, left = (int(np.clip(round((k + 0.5) * cell - PATCH / 2), 0, 48 - PATCH)) for k in (row, column))
    copy = face.copy()
    copy[top : top + PATCH, left : left + PATCH] = round(float(face.mean()))
    return copy


def test_the_means_of_the_maps_are_the_logits_and_the_evidence_against_another_expression_their_difference(predicted):
    _, _, prediction = predicted
    logits = prediction.activation.mean(axis=(1, 2), dtype=np.float64)
    softmax = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax /= softmax.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, prediction.probabilities, atol=1e-5)
    for maps, probabilities in zip(prediction.activation, prediction.probabilities, strict=True):
        first, second = probabilities.argsort()[-2:][::-1]
        evidence = evidence_for(maps, EXPRESSIONS[first], against=EXPRESSIONS[second])
        ratio = np.log(probabilities[first] / probabilities[second])
        assert evidence.values.mean() == pytest.approx(ratio, abs=1e-3)


def test_covering_the_brightest_place_costs_more_than_covering_a_random_one(predicted):
    classifier, faces, prediction = predicted
    rng = np.random.default_rng(1)
    cells = prediction.activation.shape[1]
    answers = prediction.probabilities.argmax(axis=1)
    brightest, random = [], []
    for face, maps, index in zip(faces, prediction.activation, answers, strict=True):
        values = evidence_for(maps, EXPRESSIONS[index]).values
        brightest.append(covered(face, *np.unravel_index(values.argmax(), values.shape), 48 / cells))
        random.append(covered(face, *rng.integers(0, cells, 2), 48 / cells))
    every = np.arange(FACES)
    after_brightest, after_random = (
        classifier.predict(np.stack(some)).probabilities[every, answers] for some in (brightest, random)
    )
    difference = after_random - after_brightest
    assert difference.mean() > 3 * difference.std(ddof=1) / FACES**0.5, "three standard errors"
