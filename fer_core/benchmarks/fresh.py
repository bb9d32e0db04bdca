"""Measuring in a process of its own, whose start, memory and caches are nobody else's."""

from __future__ import annotations

import json
from typing import Any

from fer_core.processes import run_python
from fer_core.types import FerError


def measured(program: str, what: str, *arguments: str, home: str | None = None) -> Any:
    """Run a program in a fresh process and return what its last line says in JSON.

    Args:
        program: Python source; it finds `fer_core` and `arguments` in `sys.argv[1:]`.
        what: it measures, to name it in errors.
        arguments: for it.
        home: user data folder for it, instead of the usual one.

    Raises:
        FerError: the process failed.
    """
    answer = run_python("-c", program, *arguments, variables={"FER_HOME": home} if home else None)
    if answer.returncode:
        raise FerError(f"The process that measures {what} failed: {answer.stderr.strip().splitlines()[-1:]}")
    return json.loads(answer.stdout.splitlines()[-1])
