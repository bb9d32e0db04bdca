"""What a person reads about an error: its reason, without the number that only programmers know."""

from __future__ import annotations

import ast
import os
import socket
from urllib.error import URLError

import pytest

from fer_core.types import FerError, reason
from tests.test_floors import ROOT, production_files

OF_THE_SYSTEM = {"OSError", "Exception", "BaseException"}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (URLError(socket.gaierror(-2, "Name or service not known")), "Name or service not known"),
        (OSError(28, "No space left on device", "/a/b"), "No space left on device"),
        (OSError("too slow"), "too slow"),
        (RuntimeError("Caused by: [Errno 111] Connection refused\nmore"), "Caused by: Connection refused"),
        (RuntimeError("[WinError -5] Access denied"), "Access denied"),
        (ValueError(), "ValueError"),
        (TimeoutError("x" * 999), "x" * 160),
        (FerError("The folder is full."), "The folder is full."),
        (OSError(28, os.strerror(28)), os.strerror(28)),
    ],
)
def test_the_reason_of_an_error(error, words):
    assert reason(error) == words


def test_no_message_for_people_holds_an_error_of_the_system_as_it_is():
    """`reason(error)` or its `strerror` stands in messages, wherever an error of the system may be caught."""
    wrong = []
    for path in production_files():
        nodes = ast.walk(ast.parse(path.read_text("utf-8")))
        for handler in (node for node in nodes if isinstance(node, ast.ExceptHandler)):
            caught = {node.id for node in ast.walk(handler.type or handler) if isinstance(node, ast.Name)}
            if not (handler.name and caught & OF_THE_SYSTEM) or "FerError" in caught:
                continue
            for node in ast.walk(handler):
                written = isinstance(node, ast.FormattedValue) and ast.unparse(node.value) == handler.name
                if written or ast.unparse(node).startswith(f"str({handler.name})"):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong


def test_no_page_shows_a_command_of_a_message_with_its_backticks():
    wrong = [path.name for path in (ROOT / "pages").rglob("*.py") if "plain(str(error))" in path.read_text("utf-8")]
    assert not wrong, "use with_code"
