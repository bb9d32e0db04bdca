"""Time a function fairly: warmed up, many times, the median."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def median_seconds(function: Callable[[], object], seconds: float, warm_up: int = 3) -> float:
    """Return the median time of one call.

    Args:
        function: what to time.
        seconds: keep calling for about this long, at least five times.
        warm_up: calls before the clock starts.
    """
    for _ in range(warm_up):
        function()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
