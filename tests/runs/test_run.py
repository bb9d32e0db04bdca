"""Reading run folders, also damaged ones."""

from __future__ import annotations

import pytest

from fer_core.jobs import LOG
from fer_core.runs.run import HISTORY, PLAN, list_runs, open_run
from fer_core.types import FerError

HEAD = "epoch,accuracy,loss,val_accuracy,val_loss\n"


def test_newest_first_and_damaged_ones_reported(made_run, runs):
    first, second = made_run(title="First"), made_run(title="Second")
    for name, content in {"a": "", "b": "{", "c": '{"created": 1}', "d": '{"created": 1e99, "title": "x"}'}.items():
        (runs / name).mkdir()
        (runs / name / PLAN).write_text(content)
    (runs / "empty").mkdir()
    (runs / "compact_cnn-seed0").mkdir()
    (runs / "compact_cnn-seed0" / "spec.json").write_text("{}")
    (runs / ".partial-1-xyz").mkdir()
    (runs / "note.txt").write_text("hello")
    found, warnings = list_runs()
    assert [run.id for run in found] == [second.id, first.id]
    assert [text.split()[2] for text in warnings] == ["a", "b", "c", "d", "empty"]
    assert all("skipped" in text and "\n" not in text for text in warnings)


def test_one_by_its_id(made_run, runs):
    run = made_run()
    assert open_run(run.id) == run
    for wrong in ("", "..", "../" + run.id, ".working.lock", "nothing"):
        with pytest.raises(FerError, match="no run with this id"):
            open_run(wrong)


def test_curves_as_far_as_they_are(made_run):
    run = made_run("fitting")
    assert run.history().empty
    path = run.folder / HISTORY
    path.write_text(HEAD)
    assert run.history().empty
    path.write_text(HEAD + "0,0.1,2,0.1,2\n1,0.2,1.9,0.2,1.9\n1,0.3,1.8,0.3,1.8\n2,0.4,1.")
    history = run.history()
    assert history["epoch"].tolist() == [0, 1]
    assert history["accuracy"].tolist() == [0.1, 0.3]
    path.write_bytes(b"\x00\xff\n\n1,2\n")
    assert run.history().empty
    path.write_text(HEAD + "0,nan,inf,0.1,2\n")
    assert len(run.history()) == 1


def test_the_end_of_the_log(made_run):
    run = made_run()
    assert run.log() == ""
    (run.folder / LOG).write_bytes("".join(f"line {n}\n" for n in range(5000)).encode() + b"\xff broken")
    assert run.log(2).splitlines()[0] == "line 4999"
    assert len(run.log().splitlines()) == 200


def test_no_result_before_it_is_finished(made_run):
    assert made_run("fitting").result() is None
    assert made_run("finished").result() is None
