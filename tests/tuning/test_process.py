"""A study in a process of its own, which stops when it is asked to."""

from __future__ import annotations

import pytest

from fer_core.tuning import process
from fer_core.tuning.storage import default_storage
from fer_core.types import FerError
from tests.waiting import until


def test_a_study_runs_in_the_background_and_stops(study, monkeypatch):
    """The real process: without FER2013 it ends with a message; while it is working it can be stopped."""
    monkeypatch.setenv("FER_TUNING_STORAGE", default_storage())
    process.start("first", 2)
    with pytest.raises(FerError, match="is already working on first"):
        process.start("first", 2)
    until(lambda: not process.working("first"))
    assert "Error: FER2013" in process.log("first", 1)
    assert study.ended() == 0
    process.start("first", 2)
    process.stop("first", patience=5)
    until(lambda: not process.working("first"))


def test_stopping_a_study_without_a_process_does_nothing(home):
    assert not process.working("first")
    process.stop("first")
    assert process.log("first") == ""
    with pytest.raises(FerError, match="not a valid study name"):
        process.working("../first")
