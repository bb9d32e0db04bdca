"""How long it takes until the first prediction, and how much memory serving holds."""

from __future__ import annotations

import statistics

from fer_core.benchmarks.fresh import measured
from fer_core.store import StoredModel

START = {
    "startup_seconds": "Seconds from a fresh process to the first predicted face (median of 3)",
    "resident_mb": "Resident memory of that process with model and face detector loaded, MB",
}

_PROGRAM = """
import sys, time
start = time.perf_counter()
import json, os, numpy, psutil
from pathlib import Path
from fer_core.inference import Classifier, FaceAnalyzer
analyzer = FaceAnalyzer(Classifier(Path(sys.argv[1])))
analyzer.analyze(numpy.full((480, 640, 3), 128, numpy.uint8))
analyzer.analyze(numpy.full((48, 48, 3), 128, numpy.uint8), whole_image=True)
seconds = time.perf_counter() - start
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
print(json.dumps([seconds, psutil.Process().memory_info().rss / 1e6]))
"""


def start_numbers(model: StoredModel) -> dict[str, float]:
    """Measure in three fresh processes that import the package, load the model and predict once.

    Raises:
        FerError: such a process failed.
    """
    results = [measured(_PROGRAM, "start-up", str(model.weights)) for _ in range(3)]
    seconds, memory = zip(*results, strict=True)
    return {"startup_seconds": statistics.median(seconds), "resident_mb": statistics.median(memory)}
