"""The map of faces: scikit-learn's PCA and t-SNE on the network's own pooled features."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from fer_core.columns import MAP_COLUMNS
from fer_core.data import FaceDataset
from fer_core.training.face_map import arrange, face_map, kept_neighbours, stored_face_map
from fer_core.types import FerError
from tests.made_up_store import add_model


@pytest.fixture(scope="module")
def tests() -> FaceDataset:
    """Faces of both test splits, not in the order of their rows."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 48, 48)).astype(np.uint8)
    usage = np.where(np.arange(40) % 2 == 0, "PublicTest", "PrivateTest")
    return FaceDataset(images, np.arange(40) % 7, usage, rng.permutation(40) + 100)


def test_arranged_as_scikit_learn_does_and_the_same_each_time():
    features = np.random.default_rng(1).normal(size=(90, 64)).astype(np.float32)
    with threadpool_limits(1):
        reduced = PCA(50, random_state=0).fit_transform(features)
        expected = TSNE(2, perplexity=(90 - 1) / 3, init="pca", random_state=0).fit_transform(reduced)
    np.testing.assert_allclose(arrange(features), expected, rtol=1e-5)
    np.testing.assert_array_equal(arrange(features), arrange(features))


def test_kept_neighbours():
    line = np.arange(30.0)[:, None] ** 1.5  # no ties
    assert (kept_neighbours(line, np.hstack([line, 0 * line])) == 10).all()
    shuffled = np.random.default_rng(3).permutation(line)
    kept = kept_neighbours(line, np.hstack([shuffled, 0 * line]))
    by_hand = []
    for k in range(30):
        near, near_on_map = (np.abs(space - space[k]).ravel().argsort()[1:11] for space in (line, shuffled))
        by_hand.append(len({*near} & {*near_on_map}))
    assert kept.tolist() == by_hand


def test_a_networks_map_has_its_pooled_features_sorted_by_row(tiny_network, tests):
    table = face_map(tiny_network, "none", tests)
    assert list(table.columns) == MAP_COLUMNS
    assert table["row"].tolist() == sorted(tests.rows.tolist())
    extractor = keras.Model(tiny_network.input, tiny_network.get_layer("pool").output)
    features = extractor.predict(tests.images[..., None].astype("float32"), batch_size=64, verbose=0)
    expected = arrange(features)[np.argsort(tests.rows)]
    np.testing.assert_allclose(table[["x", "y"]].astype("float32"), expected, rtol=1e-3, atol=1e-3)


def test_what_cannot_be_arranged_and_a_stored_model_that_can(home, tiny_network, tests):
    with pytest.raises(FerError, match=r"at least 12 test faces .* Received: 5 faces"):
        face_map(tiny_network, "none", tests.subset(np.arange(5)))
    with pytest.raises(FerError, match="40 faces, 0 of them with known rows"):
        face_map(tiny_network, "none", replace(tests, rows=np.full(40, -1)))
    model = add_model(home / "models", "mine")
    with pytest.raises(FerError, match=r"mine has no map of faces: this needs its Keras weights \(model.keras\)"):
        stored_face_map(model, tests)
    tiny_network.save(model.folder / "model.keras")
    expected = face_map(tiny_network, "none", tests)
    assert stored_face_map(model, tests).equals(expected)
