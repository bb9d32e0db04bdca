"""Lend objects that only one thread may use at a time, such as OpenCV's detectors."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Pool(Generic[T]):
    """A pool that grows to as many objects as were ever in use at once.

    Streamlit runs every page visit in a new thread, so one object per thread would mean a new one per click; a
    single object behind a lock would let one long video hold up everybody else.

    Example:
        >>> pool = Pool(lambda: cv2.CascadeClassifier(path))
        >>> with pool.borrow() as cascade:
        ...     cascade.detectMultiScale(gray)
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._idle: queue.LifoQueue[T] = queue.LifoQueue()

    @contextmanager
    def borrow(self) -> Iterator[T]:
        """Yield an object that is ours until the block ends; one that saw an exception is not lent again."""
        try:
            item = self._idle.get_nowait()
        except queue.Empty:
            item = self._make()
        yield item
        self._idle.put(item)
