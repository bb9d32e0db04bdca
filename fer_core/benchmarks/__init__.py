"""Speed and memory, measured in one run: the numbers that `python -m fer_core bench` prints."""

from __future__ import annotations

from collections.abc import Callable

from fer_core.benchmarks.batch import BATCH, batch_numbers
from fer_core.benchmarks.features import FEATURES, feature_numbers
from fer_core.benchmarks.normalization import NORMALIZATION, normalization_numbers
from fer_core.benchmarks.pages import PAGES, page_numbers
from fer_core.benchmarks.serving import SERVING, serving_numbers
from fer_core.benchmarks.start import START, start_numbers
from fer_core.benchmarks.stream import STREAM, stream_numbers
from fer_core.store import StoredModel

__all__ = ["MEANINGS", "run_benchmarks"]

MEANINGS = {**START, **SERVING, **STREAM, **BATCH, **FEATURES, **NORMALIZATION, **PAGES}
"""What each key means, in words."""


def run_benchmarks(model: StoredModel, seconds: float, say: Callable[[str], None]) -> dict[str, float]:
    """Measure everything, the same model on both sides of each ratio.

    Args:
        model: a stored model with its `.keras` file.
        seconds: how long to time each thing.
        say: told each step.

    Raises:
        FerError: the model has no `.keras` file to compare with.
    """
    say("Start-up time and memory, in fresh processes …")
    numbers = start_numbers(model)
    say("Classification and whole frames …")
    numbers |= serving_numbers(model, seconds)
    say("A camera's stream, one face and five …")
    numbers |= stream_numbers(model, seconds)
    say("A folder of photos, by threads and by processes …")
    numbers |= batch_numbers(model)
    say("An epoch with and without kept features …")
    numbers |= feature_numbers()
    say("A step of a fit with and without fused batch normalisation …")
    numbers |= normalization_numbers()
    say("The Compare models page with twelve models …")
    return numbers | page_numbers(model)
