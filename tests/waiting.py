"""Wait for something that another process or thread does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float = 60, *, every: float = 0.02) -> T:
    """Return the first true value of `condition()`; fail if there is none within some seconds.

    The limit is generous: it only ends tests that would otherwise hang, also on a busy machine.
    """
    limit = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < limit, f"the condition was not true within {seconds} s"
        time.sleep(every)
    return value
