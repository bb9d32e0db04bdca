"""Many files at once: a function over a list by threads, answers in order, few of them in memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def default_workers() -> int:
    """Return how many files to work on at once: as many as this process may use CPU cores, at most 16."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, 16)


def in_parallel(function: Callable[[T], R], items: Iterable[T], workers: int | None = None) -> Iterator[R]:
    """Yield `function(item)` for each item, in the order of the items, several worked on at once.

    Threads, not processes: decoding, face detection and LiteRT all release Python's lock, one loaded model serves all,
    and nothing has to be started or copied.

    Args:
        function: must be safe to call from several threads. What it raises is raised here at that item's turn, and
            nothing later is started; let it return its errors where the rest is to go on.
        items: taken only twice as far ahead as there are workers, and no farther than answers are asked for.
        workers: how many at once; by default `default_workers()`. 1 works in the caller's thread.

    Example:
        >>> list(in_parallel(len, ["a", "bcd"], workers=2))
        [1, 3]
    """
    workers = workers or default_workers()
    if workers == 1:
        yield from map(function, items)
        return
    executor = ThreadPoolExecutor(workers, thread_name_prefix="batch")
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:  # also when the caller leaves early or Ctrl-C is pressed: what has not begun never does
        executor.shutdown(wait=False, cancel_futures=True)
