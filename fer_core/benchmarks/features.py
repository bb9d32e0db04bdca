"""What keeping a frozen backbone's features saves in every epoch."""

from __future__ import annotations

import tempfile
from typing import Final

from fer_core.benchmarks.fresh import measured

FEATURES: Final = {
    "feature_epoch_seconds": "An epoch of MobileNetV2's frozen variant over 512 faces with kept features, seconds",
    "frozen_epoch_seconds": "The same epoch with the faces run through the backbone again, seconds",
    "feature_cache_speedup": "How many times less time an epoch takes with kept features",
}

_PROGRAM = """
import json, statistics, time
from dataclasses import replace

import keras
import numpy as np

from fer_core.data import FerDataset
from fer_core.models import build_network, model_spec
from fer_core.training.fit import fit
from fer_core.training.recipes import FROZEN

class Clock(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.times = []
    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()
    def on_epoch_end(self, epoch, logs=None):
        self.times.append(time.perf_counter() - self.start)

spec = replace(model_spec("mobilenetv2_frozen"), weights_from="random")  # the time is the same
recipe = replace(FROZEN, epochs=4, augmentation=None)
rng = np.random.default_rng(0)
def faces(n):
    images = rng.integers(0, 256, (n, 48, 48)).astype(np.uint8)
    return FerDataset(images, np.arange(n) % 7, np.full(n, "Training"), np.arange(n))
parts = faces(512), faces(64)
result = []
for keep in (True, False):
    clock = Clock()
    fit(build_network(spec), spec, recipe, *parts, callbacks=[clock], keep_features=keep)
    result.append(statistics.median(clock.times[1:]))  # the first epoch traces the graph
print(json.dumps(result))
"""


def feature_numbers() -> dict[str, float]:
    """Time the same epochs both ways in a fresh process, over a temporary cache.

    Raises:
        FerError: the process failed.
    """
    with tempfile.TemporaryDirectory() as home:
        kept, again = measured(_PROGRAM, "the feature cache", home=home)
    return {"feature_epoch_seconds": kept, "frozen_epoch_seconds": again, "feature_cache_speedup": again / kept}
