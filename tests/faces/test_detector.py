"""Where YuNet's weights come from, and what happens when they do not come."""

from __future__ import annotations

import hashlib
import io
import threading
import time
import urllib.error
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_core.faces import DetectorUnavailable, FallbackDetector, default_detector, detector, yunet_path
from fer_core.types import FerError

CONTENT = b"weights" * 100


@pytest.fixture(autouse=True)
def fresh(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing cached, nothing named, nothing remembered, and no network."""
    monkeypatch.delenv("FER_YUNET_MODEL", raising=False)
    monkeypatch.setattr(detector.LastFailure, "until", 0.0)
    monkeypatch.setattr(detector.LastFailure, "message", "")
    monkeypatch.setattr(detector.urllib.request, "urlopen", closed_network)


def closed_network(*_: Any, **__: Any) -> Any:
    raise urllib.error.URLError("Temporary failure in name resolution")


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[float]:
    """Let urlopen answer with `content` after a moment; return the list that collects the calls' timeouts."""
    calls: list[float] = []

    def urlopen(url: str, timeout: float) -> Any:
        assert url == detector.URL
        calls.append(timeout)
        time.sleep(0.05)
        return io.BytesIO(content)

    monkeypatch.setattr(detector.urllib.request, "urlopen", urlopen)
    return calls


def expect(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(detector, "SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(detector, "SIZE", len(content))


def test_downloads_once_and_keeps_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    expect(monkeypatch, CONTENT)
    calls = serve(monkeypatch, CONTENT)
    path = yunet_path()
    assert path.read_bytes() == CONTENT
    assert yunet_path() == path
    assert calls == [detector.TIMEOUT_SECONDS]
    assert [p.name for p in path.parent.iterdir() if p.suffix != ".lock"] == [path.name]


def test_many_threads_download_once(monkeypatch: pytest.MonkeyPatch) -> None:
    expect(monkeypatch, CONTENT)
    calls = serve(monkeypatch, CONTENT)
    threads = [threading.Thread(target=yunet_path) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


def test_damaged_cache_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    expect(monkeypatch, CONTENT)
    serve(monkeypatch, CONTENT)
    path = yunet_path()
    path.write_bytes(CONTENT[:-1])
    assert yunet_path().read_bytes() == CONTENT


def test_wrong_content_is_not_kept(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    serve(monkeypatch, b"<html>please log in</html>")
    with pytest.raises(DetectorUnavailable, match="SHA-256 differs"):
        yunet_path()
    assert not list(home.rglob("*.onnx"))


def test_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"x" * 5_000_000)
    with pytest.raises(DetectorUnavailable, match="SHA-256 differs"):
        yunet_path()


def test_failure_is_remembered_then_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DetectorUnavailable, match="name resolution"):
        yunet_path()
    expect(monkeypatch, CONTENT)
    calls = serve(monkeypatch, CONTENT)
    with pytest.raises(DetectorUnavailable, match="name resolution"):
        yunet_path()
    assert calls == []
    monkeypatch.setattr(detector.LastFailure, "until", time.monotonic() - 1)
    assert yunet_path().is_file()


def test_named_file_must_exist_and_match(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = tmp_path / "other.onnx"
    monkeypatch.setenv("FER_YUNET_MODEL", str(named))
    with pytest.raises(DetectorUnavailable, match="no such file"):
        yunet_path()
    named.write_bytes(b"not a model")
    with pytest.raises(DetectorUnavailable, match="SHA-256 differs"):
        yunet_path()


def test_home_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("no folder")
    monkeypatch.setenv("FER_HOME", str(blocker / "home"))
    with pytest.raises(DetectorUnavailable):
        yunet_path()


def test_closed_network_gives_the_fallback_with_a_note(portrait: np.ndarray) -> None:
    detector = default_detector()
    assert isinstance(detector, FallbackDetector)
    assert detector.note is not None
    assert "not turned upright" in detector.note
    assert "name resolution" in detector.note
    assert default_detector() is detector
    assert len(detector.detect(portrait)) == 1


def test_unavailable_is_a_user_error() -> None:
    assert issubclass(DetectorUnavailable, FerError)
