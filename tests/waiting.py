"""Wait for something that another process or thread does."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")
PATIENCE: Final = 180
"""Seconds after which a test fails that waits for a process, a thread or a page: all wait for the same time.

It only ends tests that would otherwise hang. No test may need a tenth of it on two idle cores.
"""


def until(condition: Callable[[], T], *, every: float = 0.02) -> T:
    """Return the first true value of `condition()`; fail if there is none in time."""
    limit = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < limit, f"the condition was not true within {PATIENCE} s"
        time.sleep(every)
    return value
