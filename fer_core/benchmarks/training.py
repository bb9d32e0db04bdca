"""Benchmarks of training: features of a frozen backbone that are kept, and fused batch normalization."""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from typing import Any, Final

import numpy as np

from fer_core.benchmarks.timing import run_program

FEATURES: Final = {
    "feature_epoch_seconds": "An epoch of MobileNetV2's frozen variant over 512 faces with kept features, seconds",
    "frozen_epoch_seconds": "The same epoch with the faces run through the backbone again, seconds",
    "feature_cache_speedup": "How many times less time an epoch takes with kept features",
}

BATCH_NORM: Final = {
    "fused_step_seconds": "A training step of compact_cnn on 128 faces, forward and backward, as in `fit`, seconds",
    "plain_step_seconds": "The same step with Keras' own batch normalization, seconds",
    "fused_normalization_speedup": "How many times less time a step takes with fused batch normalization",
}


def feature_numbers() -> dict[str, float]:
    """Time epochs with and without kept features in a new process, with a temporary cache.

    Raises:
        FerError: the process failed.
    """
    with tempfile.TemporaryDirectory() as home:
        kept, again = run_program("fer_core.benchmarks.training", "the feature cache", "features", home=home)
    return {"feature_epoch_seconds": kept, "frozen_epoch_seconds": again, "feature_cache_speedup": again / kept}


def batch_norm_numbers() -> dict[str, float]:
    """Time training steps with and without fused batch normalization in a new process.

    Raises:
        FerError: the process failed.
    """
    fused, plain = run_program("fer_core.benchmarks.training", "batch normalization", "batch_norm")
    return {
        "fused_step_seconds": fused,
        "plain_step_seconds": plain,
        "fused_normalization_speedup": plain / fused,
    }


def _time_features() -> list[float]:
    """Return the median seconds of an epoch with and without kept features."""
    import keras

    from fer_core.data import FerDataset
    from fer_core.models import build_network, model_spec
    from fer_core.training.fit import fit
    from fer_core.training.recipe import FROZEN

    class Clock(keras.callbacks.Callback):
        def on_train_begin(self, *_: Any) -> None:
            self.times: list[float] = []

        def on_epoch_begin(self, *_: Any) -> None:
            self.start = time.perf_counter()

        def on_epoch_end(self, *_: Any) -> None:
            self.times.append(time.perf_counter() - self.start)

    rng = np.random.default_rng(0)

    def faces(n: int) -> FerDataset:
        images = rng.integers(0, 256, (n, 48, 48)).astype(np.uint8)
        return FerDataset(images, np.arange(n) % 7, np.full(n, "Training"), np.arange(n))

    spec = replace(model_spec("mobilenetv2_frozen"), weights_from="random")  # which does not change the time
    recipe = replace(FROZEN, epochs=4, augmentation=None)
    parts = faces(512), faces(64)
    result = []
    for keep in (True, False):
        clock = Clock()
        fit(build_network(spec), spec, recipe, *parts, callbacks=[clock], keep_features=keep)
        result.append(statistics.median(clock.times[1:]))  # the graph is traced in the first epoch
    return result


def _time_batch_norm() -> list[float]:
    """Return the median seconds of a training step with and without fused batch normalization."""
    from fer_core.models import build_network, model_spec
    from fer_core.training.batch_norm import fused_batch_norm

    rng = np.random.default_rng(0)
    faces, labels = rng.integers(0, 256, (128, 44, 44, 1)).astype("float32"), np.arange(128) % 7
    result = []
    for fused in (True, False):
        network = build_network(model_spec("compact_cnn"), "mixed_bfloat16")
        network.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
        times = []
        with fused_batch_norm(network) if fused else contextlib.nullcontext():
            for _ in range(12):
                start = time.perf_counter()
                network.train_on_batch(faces, labels)
                times.append(time.perf_counter() - start)
        result.append(statistics.median(times[2:]))  # the graph is traced in the first steps
    return result


if __name__ == "__main__":
    print(json.dumps({"features": _time_features, "batch_norm": _time_batch_norm}[sys.argv[1]]()))
