"""A network as the bytes of a `.keras` file, for warm starts and for teaching."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray


def keras_archive(network: keras.Model, small: bool = False) -> bytes:
    """Return what Keras saves of a network.

    Args:
        network: in float32.
        small: for a repository: with kernels rounded to float16, whose empty digits then pack away, in a good half of
            the bytes. The network itself is given the rounded kernels.
    """
    if small:
        network.set_weights([_rounded(weights) if weights.ndim > 1 else weights for weights in network.get_weights()])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        network.save(path)
        return _packed(path) if small else path.read_bytes()


def _rounded(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    return weights.astype(np.float16).astype(np.float32)


def _packed(path: Path) -> bytes:
    """Keras stores its archive's files as they are; pack them, under the dates that Keras gives them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(packed, "w") as target:
        for entry in source.infolist():
            target.writestr(entry, source.read(entry), zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()
