"""Run all benchmarks of speed and memory."""

from __future__ import annotations

from collections.abc import Callable

from fer_core.benchmarks.archive import ARCHIVE, RAY, archive_numbers
from fer_core.benchmarks.batch import BATCH, batch_numbers
from fer_core.benchmarks.compare_page import PAGES, page_numbers
from fer_core.benchmarks.serving import SERVING, STREAM, serving_numbers, stream_numbers
from fer_core.benchmarks.start import START, start_numbers
from fer_core.benchmarks.training import BATCH_NORM, FEATURES, batch_norm_numbers, feature_numbers
from fer_core.stored_model import StoredModel

MEANINGS = {**START, **SERVING, **STREAM, **BATCH, **ARCHIVE, **RAY, **FEATURES, **BATCH_NORM, **PAGES}
"""The meaning of each key."""


def run_benchmarks(model: StoredModel, seconds: float, say: Callable[[str], None]) -> dict[str, float]:
    """Run all benchmarks. Both sides of each ratio are measured with the same model.

    Args:
        model: a stored model with its `.keras` file.
        seconds: for how long to time each operation. Whole folders and archives are timed once for each second, up to
            three times.
        say: called with the name of each step.

    Raises:
        FerError: the model has no `.keras` file to compare with, or a benchmark failed.
    """
    rounds = min(max(round(seconds), 1), 3)
    say("Start-up time and memory, in new processes …")
    numbers = start_numbers(model)
    say("Classification and whole frames …")
    numbers |= serving_numbers(model, seconds)
    say("A camera stream, one face and five …")
    numbers |= stream_numbers(model, seconds)
    say("A folder of photos, by threads and by processes …")
    numbers |= batch_numbers(model, rounds)
    say("An archive of photos, by threads and on Ray …")
    numbers |= archive_numbers(model, say, rounds)
    say("An epoch with and without kept features …")
    numbers |= feature_numbers()
    say("A training step with and without fused batch normalization …")
    numbers |= batch_norm_numbers()
    say("The Compare models page …")
    return numbers | page_numbers(model)
