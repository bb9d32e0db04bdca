"""Measure functions in this process, and programs in a process of their own."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from fer_core.processes import run_python
from fer_core.types import FerError


def median_seconds(function: Callable[[], object], seconds: float, warm_up: int = 3) -> float:
    """Return the median time of a call.

    Args:
        function: the function to time.
        seconds: for how long to call it repeatedly, but at least five times.
        warm_up: number of calls before.
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


def run_program(module: str, what: str, *arguments: str, home: str | None = None) -> Any:
    """Run a module as a program in a new process and return the JSON value in its last line of output.

    Args:
        module: full name of the module.
        what: what it measures, for error messages.
        arguments: its arguments.
        home: the user's data folder for this process; by default the usual one.

    Raises:
        FerError: the program failed.
    """
    done = run_python("-m", module, *arguments, variables={"FER_HOME": home} if home else None)
    if done.returncode:
        raise FerError(f"The process that measures {what} failed: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout.splitlines()[-1])
