"""The served classifier: batches, threads, mirror images, bad files."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fer_core.inference import Classifier
from fer_core.types import FerError


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(0).integers(0, 256, (70, 48, 48)).astype(np.uint8)


def test_any_batch_size_in_any_number_of_threads_gives_the_same_answers(tiny_classifier, faces):
    one_by_one = np.concatenate([tiny_classifier.predict(face[None]).probabilities for face in faces])
    np.testing.assert_allclose(one_by_one.sum(axis=1), 1, atol=1e-5)
    counts = [0, 1, 2, 31, 32, 33, 70] * 4
    with ThreadPoolExecutor(6) as threads:
        predictions = threads.map(lambda count: tiny_classifier.predict(faces[:count]), counts)
        for count, prediction in zip(counts, predictions, strict=True):
            assert prediction.probabilities.shape == (count, 7)
            np.testing.assert_allclose(prediction.probabilities, one_by_one[:count], atol=1e-5)
            assert prediction.activation.shape == (count, 6, 6, 7)


def test_flip_is_the_mean_with_the_mirror_image(tiny_classifier, faces):
    plain, mirrored = tiny_classifier.predict(faces[:5]), tiny_classifier.predict(faces[:5, :, ::-1])
    both = tiny_classifier.predict(faces[:5], flip=True)
    np.testing.assert_allclose(both.probabilities, (plain.probabilities + mirrored.probabilities) / 2, atol=1e-6)
    np.testing.assert_allclose(both.activation, (plain.activation + mirrored.activation[:, :, ::-1]) / 2, atol=1e-5)


def test_other_sizes_are_resized(tiny_classifier, faces):
    doubled = np.kron(faces[:2], np.ones((1, 2, 2), np.uint8))
    expected = tiny_classifier.predict(faces[:2]).probabilities
    np.testing.assert_allclose(tiny_classifier.predict(doubled).probabilities, expected, atol=1e-5)


def test_wrong_arrays_and_bad_files_are_refused(tiny_classifier):
    for shape, kind in (((48, 48), np.uint8), ((1, 48, 48, 3), np.uint8), ((1, 48, 48), np.float32)):
        with pytest.raises(ValueError, match=r"uint8 gray faces of shape \(n, height, width\)"):
            tiny_classifier.predict(np.zeros(shape, kind))
    for content in (b"", b"hello", bytes(range(256)) * 40):
        with pytest.raises(FerError, match="not a FER Lab model file"):
            Classifier(content)
