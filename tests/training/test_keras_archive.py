"""`.keras` files, whole and small."""

from __future__ import annotations

import keras
import numpy as np

from fer_core.models import build_network
from fer_core.training.keras_archive import keras_archive


def test_small_files_hold_the_kernels_in_half_precision(tiny_spec, tmp_path):
    network = build_network(tiny_spec)
    true = network.get_weights()
    sizes = {}
    for small in (False, True):
        path = tmp_path / f"{small}.keras"
        path.write_bytes(keras_archive(network, small))
        sizes[small] = path.stat().st_size
        read = keras.saving.load_model(path, compile=False, safe_mode=True).get_weights()
        for a, b in zip(read, true, strict=True):
            np.testing.assert_array_equal(a, np.float32(np.float16(b)) if small and b.ndim > 1 else b)
    for a, b in zip(network.get_weights(), read, strict=True):
        np.testing.assert_array_equal(a, b)
    assert sizes[True] < 0.8 * sizes[False]
