"""The map of faces: a network's pooled features of FER2013's test faces, arranged in two dimensions."""

from __future__ import annotations

from typing import Final

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.columns import TEST_SPLITS
from fer_core.data import FaceDataset
from fer_core.faces import preprocess_faces
from fer_core.models.networks import outputs_of
from fer_core.store.stored_model import KERAS, StoredModel
from fer_core.training.initial_weights import read_keras
from fer_core.types import FerError

NEIGHBOURS: Final = 10  # of a face; they are compared to say how far the map agrees with the features


def stored_face_map(model: StoredModel, dataset: FaceDataset) -> pd.DataFrame:
    """Return the map of a stored model on FER2013; raise a `FerError` as `face_map`, or if it has no Keras weights."""
    path = model.folder / KERAS
    if not path.is_file():
        raise FerError(f"{model.name} has no map of faces: this needs its Keras weights ({KERAS}).")
    tests = dataset.subset(np.isin(dataset.usage, list(TEST_SPLITS)))
    return face_map(read_keras(path), model.card.preprocessing, tests)


def face_map(network: keras.Model, preprocessing: str, tests: FaceDataset) -> pd.DataFrame:
    """Return the map of a network: faces whose features of the layer `pool` are similar are near each other.

    It has one row for each face, sorted by `row`, with the columns `columns.MAP_COLUMNS`. Places have half precision,
    because a screen shows no more.

    Raises:
        FerError: rows of the faces in `fer2013.csv` are unknown, or there are too few faces.
    """
    if len(tests) < NEIGHBOURS + 2 or (tests.rows < 0).any():
        raise FerError(
            f"Expected at least {NEIGHBOURS + 2} test faces of FER2013 with known rows for a map of faces. Received: "
            f"{len(tests)} faces, {(tests.rows >= 0).sum()} of them with known rows."
        )
    extractor = keras.Model(network.input, network.get_layer("pool").output)
    features = outputs_of(extractor, preprocess_faces(tests.images, preprocessing)).astype(np.float32)
    places = arrange(features).astype(np.float16)
    table = pd.DataFrame(
        {
            "row": tests.rows.astype(np.int32),
            "x": places[:, 0],
            "y": places[:, 1],
            "kept": kept_neighbours(features, places).astype(np.uint8),
        }
    )
    return table.sort_values("row", ignore_index=True)


def arrange(features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Arrange features `(n, channels)` in two dimensions: PCA, which removes noise, then t-SNE, with a fixed seed.

    One thread computes it. The result then does not depend on the number of cores, and several threads would spend
    most of their time waiting for each other where other work shares the cores. Neither the unit nor the axes of the
    result `(n, 2)` mean anything.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    n, channels = features.shape
    with threadpool_limits(1):
        reduced = PCA(min(50, n, channels), random_state=0).fit_transform(features)
        tsne = TSNE(2, perplexity=min(30, (n - 1) / 3), init="pca", random_state=0)
        return tsne.fit_transform(reduced).astype(np.float32)


def kept_neighbours(features: NDArray[np.floating], places: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return how many of each face's `NEIGHBOURS` nearest by features are also among its nearest on the map, `(n,)`."""
    from sklearn.neighbors import NearestNeighbors

    by_features, on_map = (
        NearestNeighbors(n_neighbors=NEIGHBOURS).fit(space).kneighbors(return_distance=False)
        for space in (features, places.astype(np.float32))
    )
    return (by_features[:, :, None] == on_map[:, None, :]).sum(axis=(1, 2))
