"""Composed files: made once, in another process, whole or not at all. A stand-in worker takes no time."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest

from fer_core.models import composed
from fer_core.models.composed import TRAINED, composed_file, pack_weights, read_weights
from fer_core.types import FerError

WORKER = """
import pathlib, sys, time
folder, target = map(pathlib.Path, sys.argv[1:])
with (folder / "calls").open("a") as calls:
    calls.write("x")
time.sleep(0.3)
what = (folder / "do").read_text()
if what == "refuse":
    print("chatter"); print("The weights are not at hand."); sys.exit(3)
if what == "crash":
    sys.exit("out of memory")
if what == "work":
    target.write_bytes(b"tflite")
"""


def part(bias):
    return pack_weights({"head/kernel": np.ones((4, 7), np.float32), "head/bias": bias.astype(np.float32)})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "fake_worker.py").write_text(WORKER)
    monkeypatch.setattr(composed, "WORKER", "fake_worker")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / TRAINED).write_bytes(part(np.zeros(7)))
    (folder / "do").write_text("work")
    return folder


@pytest.fixture
def cache(tmp_path):
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def calls(folder):
    return len((folder / "calls").read_text())


def test_made_once_then_found(folder, cache):
    path = composed_file(folder, "int8", cache)
    assert path.read_bytes() == b"tflite"
    assert composed_file(folder, "int8", cache) == path
    assert calls(folder) == 1


def test_another_part_or_storage_is_another_file(folder, cache):
    path = composed_file(folder, "int8", cache)
    assert composed_file(folder, "float16", cache) != path
    (folder / TRAINED).write_bytes(part(np.ones(7)))
    assert composed_file(folder, "int8", cache) != path


def test_an_empty_file_is_made_again(folder, cache):
    composed_file(folder, "int8", cache).write_bytes(b"")
    assert composed_file(folder, "int8", cache).read_bytes() == b"tflite"


def test_many_at_once_let_one_work(folder, cache):
    paths = []
    threads = [threading.Thread(target=lambda: paths.append(composed_file(folder, "int8", cache))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 5
    assert len(set(paths)) == 1
    assert calls(folder) == 1


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("refuse", r"^The weights are not at hand\.$"),
        ("crash", "model could not be put together .*: out of memory$"),
        ("nothing", "model could not be put together"),
    ],
)
def test_failures_are_one_sentence_and_leave_nothing(folder, cache, what, message):
    (folder / "do").write_text(what)
    with pytest.raises(FerError, match=message):
        composed_file(folder, "int8", cache)
    assert not list(cache.glob("*.tflite"))
    (folder / "do").write_text("work")
    assert composed_file(folder, "int8", cache).read_bytes() == b"tflite"


def test_weights_survive_and_damage_is_named(tmp_path):
    rng = np.random.default_rng(0)
    given = {
        "vgg16/conv/kernel": rng.normal(size=(3, 3, 2)).astype(np.float16),
        "head/bias": np.arange(7.0, dtype="f4"),
    }
    path = tmp_path / TRAINED
    path.write_bytes(pack_weights(given))
    assert pack_weights(dict(reversed(given.items()))) == path.read_bytes()
    read = read_weights(path)
    assert read.keys() == given.keys()
    for name, values in given.items():
        assert read[name].dtype == np.float32
        np.testing.assert_array_equal(read[name], values.astype(np.float32))
    for content in (b"", b"text", path.read_bytes()[:-30], pack_weights({})):
        path.write_bytes(content)
        with pytest.raises(FerError, match="damaged"):
            read_weights(path)
    with pytest.raises(FerError, match="cannot be read"):
        composed_file(tmp_path / "gone", "int8", tmp_path)


def test_needs_no_training_framework():
    program = "import fer_core.store, sys; assert not {'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
