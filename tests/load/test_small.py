"""A few damaged files of each kind, and a fault: what `mutations` and `faults` do by hand, so that they do not rot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer_core.types import FerError
from tests.load.faults import killed_video
from tests.load.readers import KINDS, make


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"keras"}))  # which imports TensorFlow
def test_a_damaged_file_is_read_or_is_one_sentence(home, tmp_path, monkeypatch, kind):
    monkeypatch.setitem(KINDS, kind, replace(KINDS[kind], bombs=dict))  # which take a minute to make
    for number in range(3):
        given = make(kind, 1, number)
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            sentences = KINDS[kind].read(given, folder)
        except FerError as error:
            sentences = [str(error)]
        assert all("\n" not in text and 20 < len(text) < 700 for text in sentences), given.what


def test_a_killed_video_leaves_nothing_under_its_name(tmp_path):
    killed_video(tmp_path)
