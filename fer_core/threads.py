"""Share work and objects between threads."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, wraps
from typing import Generic, ParamSpec, TypeVar

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")


class Pool(Generic[T]):
    """A pool of objects that only one thread may use at a time, such as OpenCV's detectors.

    It grows to the number of objects that are in use at once, up to `limit`, by default `default_workers()` and at
    least 2; then a thread waits until one is idle. Streamlit handles each page run in a new thread, so one object per
    thread would mean a new one for every click, and a network in memory for each of twenty visitors.
    """

    def __init__(self, make: Callable[[], T], limit: int | None = None) -> None:
        self._make = make
        self._idle: deque[T] = deque()
        self._free = threading.BoundedSemaphore(max(2, default_workers()) if limit is None else limit)

    @contextmanager
    def borrow(self) -> Iterator[T]:
        """Yield an object, which is not used again after an exception; the block must not borrow another one."""
        with self._free:
            try:
                item = self._idle.pop()
            except IndexError:
                item = self._make()
            yield item
            self._idle.append(item)


def kept(entries: int | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function to keep its newest results, by default all, for all threads; each is computed once.

    It is for what must live as long as the process: every visitor can clear Streamlit's caches.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        lock = threading.Lock()

        @lru_cache(entries)
        def entry(*_: object, **__: object) -> tuple[threading.Lock, list[R]]:
            return threading.Lock(), []

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            with lock:
                own, results = entry(*args, **kwargs)  # type: ignore[arg-type]
            with own:
                if not results:
                    results.append(function(*args, **kwargs))
                return results[0]

        return call

    return decorate


def cores() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_workers() -> int:
    """Return the default number of threads: `cores`, at most 16."""
    return min(cores(), 16)


def in_parallel(function: Callable[[T], R], items: Iterable[T], *, workers: int | None = None) -> Iterator[R]:
    """Yield `function(item)` for each item in order, computed by several threads.

    Image decoding, face detection and LiteRT release Python's global lock, so threads are enough. An exception is
    raised when its item's turn comes, and no later item is started. Items are read at most `2 * workers` ahead of the
    results that were consumed. One worker runs everything in the caller's thread; the default is `default_workers()`.
    """
    workers = default_workers() if workers is None else workers
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
    finally:  # also if the caller stops early or Ctrl-C is pressed
        executor.shutdown(wait=False, cancel_futures=True)
