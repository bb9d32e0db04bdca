"""The properties that come with the package against those measured from the pixels."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.audit.fer2013_properties import known_properties, measured_properties, save_properties
from fer_core.audit.slices import PROPERTIES
from fer_core.data import load_fer2013
from fer_core.types import FerError


def test_columns_and_rows():
    known = known_properties()
    assert list(known.columns) == list(PROPERTIES)
    assert known.index.min() == 28_709 and known.index.max() == 35_886 and len(known) == 7178
    assert known["brightness"].between(0, 255).all()
    assert known["agreement"].dropna().between(0.1, 1).all()


def test_the_shipped_properties_are_those_of_the_pixels(fer2013_path, ferplus_path, monkeypatch):
    monkeypatch.setenv("FERPLUS_PATH", str(ferplus_path))
    measured = measured_properties(load_fer2013(fer2013_path))
    known = known_properties()
    assert (known.index == measured.index).all()
    for name in measured:
        np.testing.assert_allclose(known[name], measured[name], atol=0.06, err_msg=name)


def test_a_file_written_anew_reads_the_same(fer2013_path, ferplus_path, monkeypatch, tmp_path):
    monkeypatch.setenv("FERPLUS_PATH", str(ferplus_path))
    dataset = load_fer2013(fer2013_path)
    part = dataset.subset(np.isin(dataset.rows, [28_709, 30_000, 35_886]))
    save_properties(part, tmp_path / "some.npz")
    assert known_properties(tmp_path / "some.npz").equals(known_properties().loc[[28_709, 30_000, 35_886]])


def test_faces_without_votes_are_refused(home, fer2013_path):
    dataset = load_fer2013(fer2013_path)
    with pytest.raises(FerError, match="with FER\\+'s votes"):
        measured_properties(dataset.subset(np.arange(5)))
