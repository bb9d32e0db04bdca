"""What batch normalisation in a fused kernel saves in every step of a fit."""

from __future__ import annotations

from typing import Final

from fer_core.benchmarks.fresh import measured

NORMALIZATION: Final = {
    "fused_step_seconds": "A step of compact_cnn on 128 faces, forward and back, as `fit` does it, seconds",
    "plain_step_seconds": "The same step with batch normalisation as Keras writes it out, seconds",
    "fused_normalization_speedup": "How many times less time a step takes with fused batch normalisation",
}

_PROGRAM = """
import contextlib, json, statistics, time

import keras
import numpy as np

from fer_core.models import build_network, model_spec
from fer_core.training.fused import fused_batch_normalization

rng = np.random.default_rng(0)
faces, labels = rng.integers(0, 256, (128, 44, 44, 1)).astype("float32"), np.arange(128) % 7
result = []
for fused in (fused_batch_normalization, lambda network: contextlib.nullcontext()):
    network = build_network(model_spec("compact_cnn"), "mixed_bfloat16")
    network.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
    times = []
    with fused(network):
        for _ in range(12):
            start = time.perf_counter()
            network.train_on_batch(faces, labels)
            times.append(time.perf_counter() - start)
    result.append(statistics.median(times[2:]))  # the first ones trace the graph
print(json.dumps(result))
"""


def normalization_numbers() -> dict[str, float]:
    """Time the same steps both ways in a fresh process.

    Raises:
        FerError: the process failed.
    """
    fused, plain = measured(_PROGRAM, "batch normalisation")
    return {
        "fused_step_seconds": fused,
        "plain_step_seconds": plain,
        "fused_normalization_speedup": plain / fused,
    }
