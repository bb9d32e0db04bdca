"""Benchmark: time until the first prediction in a new process, and its memory.

This module also is the measured program, so it imports other modules only within functions.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer_core.stored_model import StoredModel

START = {
    "startup_seconds": "Seconds from a new process to the first predicted face (median of 3)",
    "resident_mb": "Resident memory of that process with model and face detector loaded, MB",
}


def start_numbers(model: StoredModel) -> dict[str, float]:
    """Measure three new processes that import the package, load the model and predict once.

    Raises:
        FerError: a process failed.
    """
    import statistics

    from fer_core.benchmarks.timing import run_program

    results = [run_program("fer_core.benchmarks.start", "start-up", str(model.folder)) for _ in range(3)]
    seconds, memory = zip(*results, strict=True)
    return {"startup_seconds": statistics.median(seconds), "resident_mb": statistics.median(memory)}


def _program(folder: str) -> None:
    start = time.perf_counter()
    import json
    from pathlib import Path

    import numpy as np
    import psutil

    from fer_core.inference import FaceAnalyzer
    from fer_core.store import open_model

    analyzer = FaceAnalyzer(open_model(Path(folder)).classifier())
    analyzer.analyze(np.full((480, 640, 3), 128, np.uint8))
    analyzer.analyze(np.full((48, 48, 3), 128, np.uint8), whole_image=True)
    seconds = time.perf_counter() - start
    assert "tensorflow" not in sys.modules
    assert "keras" not in sys.modules
    print(json.dumps([seconds, psutil.Process().memory_info().rss / 1e6]))


if __name__ == "__main__":
    _program(sys.argv[1])
