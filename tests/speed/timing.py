"""Time functions in turn, and call functions in a process of their own.

This file imports little: what it imports would not count as part of the start that `first_prediction` measures.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any


def seconds_each(
    *functions: Callable[[], object],
    seconds: float = 0,
    warm_up: int = 3,
    rounds: int = 5,
    average: Callable[[Iterable[float]], float] = statistics.median,
) -> list[float]:
    """Return the average seconds of a call of each function, called for some seconds in all rounds, or once in each.

    The functions take turns, so that other load affects all of them: their ratios hold on a busy machine too. The calls
    to warm up do not count.
    """
    times: list[list[float]] = [[] for _ in functions]
    for function in functions:
        for _ in range(warm_up):
            function()
    for _ in range(rounds):
        for function, own in zip(functions, times, strict=True):
            now = time.perf_counter()
            end = now + seconds / rounds
            while True:
                start, _ = now, function()
                now = time.perf_counter()
                own.append(now - start)
                if now >= end:
                    break
    return [average(own) for own in times]


def in_child(function: Callable[..., object], *arguments: str, **variables: str) -> Any:
    """Return the result of a module's function, called in a new process with some more environment variables."""
    from fer_core.jobs import run_python

    module, name = function.__module__, function.__name__
    program = f"import json, sys; from {module} import {name} as f; print(json.dumps(f(*sys.argv[1:])))"
    done = run_python("-c", program, *arguments, variables=variables)
    if done.returncode:
        raise RuntimeError(f"The process of {module}.{name} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def first_prediction(folder: str) -> list[float]:
    """Return the seconds to import the package, load a model and predict, and the process's memory then, in MB."""
    start = time.perf_counter()
    from pathlib import Path

    import numpy as np
    import psutil

    from fer_core.inference import FaceAnalyzer
    from fer_core.store.folders import open_model

    analyzer = FaceAnalyzer(open_model(Path(folder)).classifier())
    analyzer.analyze(np.full((480, 640, 3), 128, np.uint8))
    analyzer.analyze(np.full((48, 48, 3), 128, np.uint8), whole_image=True)
    seconds = time.perf_counter() - start
    assert not {"tensorflow", "keras"} & set(sys.modules)
    return [seconds, psutil.Process().memory_info().rss / 1e6]
