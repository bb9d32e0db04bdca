"""What a person reads about an error: its reason, without the number that only programmers know."""

import os
import socket
from urllib.error import URLError

import pytest

from fer_core.types import FerError, reason


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
