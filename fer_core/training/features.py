"""What a frozen backbone sees in each face, computed once and kept on disk: its output never changes."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from pathlib import Path
from typing import Final, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from fer_core.data import FerDataset
from fer_core.files import cache_folder, whole_file
from fer_core.models import ModelSpec
from fer_core.models.backbone import weights_digest
from fer_core.types import FerError

BATCH: Final = 64
_VERSION: Final = 2  # raise it when the layers before the backbone change

logger = logging.getLogger(__name__)


class Pooled(NamedTuple):
    """Features `(n, channels)` float16, and the seconds that computing them took, now or when they were cached."""

    values: NDArray[np.float16]
    seconds: float


def pooled_features(network: keras.Model, spec: ModelSpec, faces: FerDataset, mirrored: bool) -> Pooled:
    """Return the pooled features of faces, from the cache where an earlier call left them.

    The cache (`cache_folder("features")`) is keyed by the faces' fingerprint, the backbone and its size, the weights of
    everything below the layer `pool`, and the view; a damaged file is computed again.

    Args:
        network: has a layer `pool`; nothing below it trains.
        spec: what the network is.
        faces: any faces.
        mirrored: see each in the mirror.

    Raises:
        ValueError: something below `pool` trains, so that its output would change.
    """
    extractor = keras.Model(network.input, network.get_layer("pool").output)
    if extractor.trainable_weights:
        raise ValueError(
            f"Expected a frozen backbone below the layer pool. Received: {len(extractor.trainable_weights)} trainable "
            f"weights"
        )
    path = _path(extractor, spec, faces, mirrored)
    pooled = _read(path, len(faces))
    if pooled is None:
        started = time.monotonic()
        values = _compute(extractor, faces.images[:, :, ::-1] if mirrored else faces.images)
        pooled = Pooled(values, time.monotonic() - started)
        _write(path, pooled)
    return pooled


def _compute(extractor: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Run the backbone in parts, so that the faces in float32 never stand in memory all at once."""
    parts = [
        extractor.predict(images[start : start + 4096, ..., None].astype(np.float32), batch_size=BATCH, verbose=0)
        for start in range(0, len(images), 4096)
    ]
    return np.concatenate(parts).astype(np.float16)


def _path(extractor: keras.Model, spec: ModelSpec, faces: FerDataset, mirrored: bool) -> Path:
    network = [spec.architecture, spec.backbone, spec.backbone_size, weights_digest(extractor)]
    identity = [_VERSION, faces.fingerprint, *network, mirrored]
    return cache_folder("features") / f"{hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:24]}.npz"


def _read(path: Path, faces: int) -> Pooled | None:
    """Return what is kept; None if nothing, or damaged (the archive's checksum tells)."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            values, seconds = arrays["values"], float(arrays["seconds"])
        if values.ndim != 2 or len(values) != faces or values.dtype != np.float16:
            raise ValueError(f"expected float16 features of {faces} faces, found {values.dtype} {values.shape}")
        return Pooled(values, seconds)
    except Exception as error:  # whatever is wrong with a cache, the backbone is still there
        logger.warning("The cached features %s cannot be used (%s) and will be computed again.", path.name, error)
        return None


def _write(path: Path, pooled: Pooled) -> None:
    """Keep the features in one step; a full disk costs only the cache."""
    try:
        with whole_file(path) as partial:
            np.savez(partial, values=pooled.values, seconds=np.array(pooled.seconds))
    except (OSError, FerError) as error:
        logger.warning("The features could not be cached (%s) and will be computed again next time.", error)
