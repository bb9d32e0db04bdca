"""Measuring in a process of its own, whose start, memory and caches are nobody else's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from fer_core.store import SHIPPED
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
    root = SHIPPED.parent
    variables = {"PYTHONPATH": str(root), "TF_CPP_MIN_LOG_LEVEL": "3"} | ({"FER_HOME": home} if home else {})
    answer = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=root,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise FerError(f"The process that measures {what} failed: {answer.stderr.strip().splitlines()[-1:]}")
    return json.loads(answer.stdout.splitlines()[-1])
