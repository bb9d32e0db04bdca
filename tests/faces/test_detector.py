import hashlib
import io
import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor

import pytest

from fer_core.faces import DetectorUnavailable, FallbackDetector, default_detector, detector, yunet_path

CONTENT = b"weights" * 100


@pytest.fixture(autouse=True)
def fresh(home, monkeypatch):
    """Nothing cached, nothing named, nothing remembered, and no network."""

    def closed_network(*_, **__):
        raise urllib.error.URLError("Temporary failure in name resolution")

    monkeypatch.delenv("FER_YUNET_MODEL", raising=False)
    monkeypatch.setattr(detector.LastFailure, "until", 0.0)
    monkeypatch.setattr(detector.LastFailure, "message", "")
    monkeypatch.setattr(detector.urllib.request, "urlopen", closed_network)


def serve(monkeypatch, content, expected=CONTENT):
    """Let urlopen answer with `content` after a moment, and YuNet's file be `expected`; return the calls' timeouts."""
    calls = []

    def urlopen(url, timeout):
        assert url == detector.URL
        calls.append(timeout)
        time.sleep(0.05)
        return io.BytesIO(content)

    monkeypatch.setattr(detector.urllib.request, "urlopen", urlopen)
    monkeypatch.setattr(detector, "SHA256", hashlib.sha256(expected).hexdigest())
    monkeypatch.setattr(detector, "SIZE", len(expected))
    return calls


def test_many_threads_download_once_and_a_damaged_copy_is_replaced(monkeypatch):
    calls = serve(monkeypatch, CONTENT)
    with ThreadPoolExecutor(6) as threads:
        (path,) = set(threads.map(lambda _: yunet_path(), range(6)))
    assert path.read_bytes() == CONTENT
    assert calls == [detector.TIMEOUT_SECONDS]
    assert [p.name for p in path.parent.iterdir() if p.suffix != ".lock"] == [path.name]
    path.write_bytes(CONTENT[:-1])
    assert yunet_path().read_bytes() == CONTENT


@pytest.mark.parametrize("content", [b"<html>please log in</html>", b"x" * 5_000_000])
def test_wrong_and_endless_content_is_not_kept(monkeypatch, home, content):
    serve(monkeypatch, content)
    with pytest.raises(DetectorUnavailable, match="SHA-256 differs"):
        yunet_path()
    assert not list(home.rglob("*.onnx"))


def test_failure_is_remembered_then_retried(monkeypatch):
    with pytest.raises(DetectorUnavailable, match="name resolution"):
        yunet_path()
    calls = serve(monkeypatch, CONTENT)
    with pytest.raises(DetectorUnavailable, match="name resolution"):
        yunet_path()
    assert calls == []
    monkeypatch.setattr(detector.LastFailure, "until", time.monotonic() - 1)
    assert yunet_path().is_file()


def test_named_file_must_exist_and_match_and_home_be_writable(monkeypatch, tmp_path):
    named = tmp_path / "other.onnx"
    monkeypatch.setenv("FER_YUNET_MODEL", str(named))
    with pytest.raises(DetectorUnavailable, match="no such file"):
        yunet_path()
    named.write_bytes(b"not a model")
    with pytest.raises(DetectorUnavailable, match="SHA-256 differs"):
        yunet_path()
    monkeypatch.delenv("FER_YUNET_MODEL")
    monkeypatch.setenv("FER_HOME", str(named / "home"))
    with pytest.raises(DetectorUnavailable, match="cannot be created"):
        yunet_path()


def test_closed_network_gives_the_fallback_with_a_note(portrait):
    detector = default_detector()
    assert isinstance(detector, FallbackDetector)
    assert "not turned upright" in detector.note
    assert "name resolution" in detector.note
    assert default_detector() is detector
    assert len(detector.detect(portrait)) == 1
