"""Reading run folders, also damaged ones; a run's model promoted, completely or not at all, and converted to ONNX."""

import errno
import json
import os
import shutil

import onnxruntime
import pytest

from fer_core.jobs import LOG, claim, run_python
from fer_core.runs import run as module
from fer_core.runs.run import HISTORY, PLAN, RESULT, downloads, list_runs, onnx_file, open_run, promote, suggested_name
from fer_core.store.folders import SHIPPED, list_models
from fer_core.types import FerError
from tests.app.made_up_runs import made_run
from tests.made_up_store import add_model

HEAD = "epoch,accuracy,loss,val_accuracy,val_loss\n"


def test_newest_first_and_damaged_ones_reported(runs):
    first, second = made_run("finished", age=2), made_run("finished", age=1)
    for name, content in {"a": "", "b": "{", "c": '{"created": 1}', "d": '{"created": 1e99, "title": "x"}'}.items():
        (runs / name).mkdir()
        (runs / name / PLAN).write_text(content)
    for name in ("empty", "compact_cnn-seed0", ".partial-1-xyz"):
        (runs / name).mkdir()
    for name in ("compact_cnn-seed0/spec.json", "note.txt"):
        (runs / name).write_text("{}")
    known, warnings = list_runs()
    assert [run.id for run in known] == [second.id, first.id]
    assert [text.split()[2] for text in warnings] == ["a", "b", "c", "d", "empty"]
    assert all("skipped" in text and "\n" not in text for text in warnings)
    assert open_run(first.id) == first
    for wrong in ("", "..", "../" + first.id, ".working.lock", "nothing"):
        with pytest.raises(FerError, match="no run with this id"):
            open_run(wrong)


def test_curves_as_far_as_they_are_and_the_end_of_the_log(home):
    run = made_run("fitting")
    assert run.result() is None
    for text, rows in (
        (HEAD, []),
        (HEAD + "0,0.1,2,0.1,2\n1,0.2,1.9,0.2,1.9\n1,0.3,1.8,0.3,1.8\n2,0.4,1.", [[0, 0.1], [1, 0.3]]),
        ("\0\xff\n\n1,2\n", []),
        (HEAD + "0,0.5,inf,nan,2\n", [[0, 0.5]]),
    ):
        (run.folder / HISTORY).write_text(text, "latin-1")
        history = run.history()
        assert (history[["epoch", "accuracy"]].to_numpy().tolist() if rows else list(history.index)) == rows
    (run.folder / LOG).unlink()
    assert run.log() == ""
    (run.folder / LOG).write_bytes("".join(f"line {n}\n" for n in range(5000)).encode() + b"\xff broken")
    assert run.log(2).splitlines()[0] == "line 4999"
    assert len(run.log().splitlines()) == 200


DIES_WHILE_COPYING = """
import os, shutil, sys
from fer_core.runs import run

def half(source, target, **_):
    shutil.copy(source / "card.json", target)
    os._exit(9)

run.shutil.copytree = half
run.promote(run.open_run(sys.argv[1]), "mine", title="Mine", replace=True)
"""


@pytest.fixture
def finished(home):
    run = made_run("finished", "My try")
    add_model(run.folder / RESULT, run.plan.spec.name)
    return run


def own(home):
    return {model.name: model.title for model in list_models()[0] if model.folder.parent == home / "models"}


def test_promoted_under_its_new_name(finished, home):
    assert suggested_name(finished) == "my_try"
    model = promote(finished, "mine", title="  My   model ")
    assert own(home) == {"mine": "My model"}
    assert model.card.promoted_from == finished.id
    assert model.all_predictions().equals(finished.result().all_predictions())
    assert model.degraded().equals(finished.result().degraded())
    assert finished.result().title == "The compact_cnn one"
    assert model.folder == home / "models" / "mine"


def test_names_and_titles_are_checked(finished, home):
    fitting = made_run("fitting")
    claim(fitting.folder)
    promote(finished, "mine", title="Mine")
    for name in ("", ".", "..", "a/b", "..\\x", "Mine", ".hidden", "x" * 61, "nul"):
        with pytest.raises(FerError, match="not a valid model name"):
            promote(finished, name, title="A title")
    for run, name, title, message in [
        (finished, "other", "  ", "Expected a title"),
        (finished, "other", "x" * 81, "Expected a title"),
        (finished, "mine", "Again", "You have a model of that name already"),
        (finished, "compact_cnn", "Mine now", "comes with FER Lab"),
        (fitting, "mine2", "Mine", "no model to promote: it is fitting"),
    ]:
        with pytest.raises(FerError, match=message):
            promote(run, name, title=title)
    assert own(home) == {"mine": "Mine"}
    promote(finished, "mine", title="Again", replace=True)
    promote(finished, "compact_cnn", title="Mine now", replace=True)
    promote(finished, "twin", title="Again")
    assert own(home) == {"mine": "Again", "compact_cnn": "Mine now", "twin": "Again (twin)"}
    assert json.loads((SHIPPED / "compact_cnn" / "card.json").read_text())["title"] == "Small CNN"


def test_killed_while_copying_or_with_a_full_disk_nothing_half_is_seen(finished, home, monkeypatch):
    def full(source, target, **_):
        raise OSError(errno.ENOSPC, "No space left on device")

    promote(finished, "mine", title="The first")
    with monkeypatch.context() as patch:
        patch.setattr(module.shutil, "copytree", full)
        with pytest.raises(FerError, match=r"cannot be promoted \(No space left on device\)"):
            promote(finished, "mine", title="The second", replace=True)
    assert own(home) == {"mine": "The first"}
    assert run_python("-c", DIES_WHILE_COPYING, finished.id).returncode == 9
    (left,) = (home / "models").glob(".partial-*")
    assert own(home) == {"mine": "The first"}
    os.utime(left, (0, 0))
    promote(finished, "mine", title="The second", replace=True)
    assert own(home) == {"mine": "The second"}
    assert not list((home / "models").glob(".partial-*"))


def test_a_damaged_result_is_not_promoted(finished):
    shutil.copy(finished.folder / PLAN, finished.result().folder / "card.json")
    with pytest.raises(FerError, match="no model to promote"):
        promote(finished, "mine", title="Mine")
    assert downloads(finished) == {}


def test_a_run_is_converted_to_onnx_once_or_it_is_explained(finished, tiny_network, monkeypatch):
    tiny_network.save(finished.result().folder / "model.keras")
    with pytest.raises(FerError, match="A try has no model to convert: it is interrupted"):
        onnx_file(made_run("fitting"))
    with monkeypatch.context() as patch:
        patch.setattr(module, "ONNX_WORKER", "not_a_module")
        with pytest.raises(FerError, match=r"could not be converted to ONNX: .*not_a_module"):
            onnx_file(finished)
    path = onnx_file(finished)
    assert path == finished.folder / "model.onnx"
    assert onnxruntime.InferenceSession(path).get_outputs()[0].name == "probabilities"
    monkeypatch.setattr(module, "ONNX_WORKER", "not_a_module")
    assert onnx_file(finished) == path
