"""A run's model promoted, completely or not at all, and converted to ONNX."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys

import onnxruntime
import pytest

from fer_core.runs import promote as module
from fer_core.runs.promote import downloads, onnx_file, promote, suggested_name
from fer_core.runs.run import RESULT
from fer_core.store.folders import SHIPPED, list_models, load_model
from fer_core.types import FerError
from tests.made_up_store import add_model

DIES_WHILE_COPYING = """
import os, shutil, sys
from fer_core.runs import promote
from fer_core.runs.run import open_run

def half(source, target, **_):
    shutil.copy(source / "card.json", target)
    os._exit(9)

promote.shutil.copytree = half
promote.promote(open_run(sys.argv[1]), "mine", title="Mine", replace=True)
"""


@pytest.fixture
def finished(made_run):
    run = made_run("finished", title="My try")
    add_model(run.folder / RESULT, run.plan.spec.name)
    return run


def own(home):
    return {model.name: model.title for model in list_models()[0] if model.folder.parent == home / "models"}


def test_promoted_under_its_new_name(finished, home):
    assert suggested_name(finished) == "my_try"
    model = promote(finished, "mine", title="  My   model ")
    assert own(home) == {"mine": "My model"}
    assert load_model("mine").card.promoted_from == finished.id
    assert load_model("mine").predictions("public_test").equals(finished.result().predictions("public_test"))
    assert load_model("mine").degraded().equals(finished.result().degraded())
    assert finished.result().title == "The tiny one"
    assert sorted(path.name for path in (home / "models").iterdir()) == [".promoting.lock", "mine"]
    assert model.folder == home / "models" / "mine"


def test_names_and_titles_are_checked(finished, made_run, home):
    promote(finished, "mine", title="Mine")
    for name in ("", ".", "..", "a/b", "..\\x", "Mine", ".hidden", "x" * 61, "nul"):
        with pytest.raises(FerError, match="not a valid model name"):
            promote(finished, name, title="A title")
    for title in ("", "  ", "x" * 81):
        with pytest.raises(FerError, match="Expected a title"):
            promote(finished, "other", title=title)
    with pytest.raises(FerError, match="You have a model of that name already"):
        promote(finished, "mine", title="Again")
    with pytest.raises(FerError, match="comes with FER Lab"):
        promote(finished, "compact_cnn", title="Mine now")
    with pytest.raises(FerError, match="no model to promote: it is fitting"):
        promote(made_run("fitting"), "mine2", title="Mine")
    assert own(home) == {"mine": "Mine"}
    promote(finished, "mine", title="Again", replace=True)
    promote(finished, "compact_cnn", title="Mine now", replace=True)
    promote(finished, "twin", title="Again")
    assert own(home) == {"mine": "Again", "compact_cnn": "Mine now", "twin": "Again (twin)"}
    assert json.loads((SHIPPED / "compact_cnn" / "card.json").read_text())["title"] == "Compact CNN"


def test_killed_while_copying_nothing_half_is_seen(finished, home):
    promote(finished, "mine", title="The first")
    answer = subprocess.run([sys.executable, "-c", DIES_WHILE_COPYING, finished.id], check=False)
    assert answer.returncode == 9
    (left,) = (home / "models").glob(".partial-*")
    assert (left / "card.json").is_file()
    assert own(home) == {"mine": "The first"}
    os.utime(left, (0, 0))
    promote(finished, "mine", title="The second", replace=True)
    assert own(home) == {"mine": "The second"}
    assert not list((home / "models").glob(".partial-*"))


def test_a_full_disk_leaves_what_was_there(finished, home, monkeypatch):
    promote(finished, "mine", title="The first")

    def full(source, target, **_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.shutil, "copytree", full)
    with pytest.raises(FerError, match=r"cannot be promoted \(No space left on device\)"):
        promote(finished, "mine", title="The second", replace=True)
    assert own(home) == {"mine": "The first"}


def test_a_damaged_result_is_not_promoted(finished, home):
    shutil.copy(finished.folder / "plan.json", finished.result().folder / "card.json")
    with pytest.raises(FerError, match="no model to promote"):
        promote(finished, "mine", title="Mine")
    assert downloads(finished) == {}


@pytest.fixture
def finished_network(finished, tiny_network):
    """A finished run with the Keras file of a tiny network."""
    tiny_network.save(finished.result().folder / "model.keras")
    return finished


def test_a_run_is_converted_to_onnx_once(finished_network, monkeypatch):
    run = finished_network
    path = onnx_file(run)
    assert path == run.folder / "model.onnx"
    assert onnxruntime.InferenceSession(path).get_outputs()[0].name == "probabilities"
    monkeypatch.setattr(module, "ONNX_WORKER", "not_a_module")
    assert onnx_file(run) == path


def test_what_cannot_be_converted_is_explained(finished_network, made_run, monkeypatch):
    with pytest.raises(FerError, match="A try has no model to convert: it is fitting"):
        onnx_file(made_run("fitting"))
    monkeypatch.setattr(module, "ONNX_WORKER", "not_a_module")
    with pytest.raises(FerError, match=r"could not be converted to ONNX: .*not_a_module"):
        onnx_file(finished_network)
