"""Divisions by properties of the picture: groups by hand, unknown values, and faces that are all alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.audit.slices import PROPERTIES, slice_groups
from fer_core.types import FerError


def test_three_groups_of_equal_size():
    groups, names = slice_groups("brightness", pd.Series(np.arange(90.0)))
    assert names == ["dark, up to 30", "30 to 59", "bright, over 59"]
    assert [(groups == name).sum() for name in names] == [30, 30, 30]


def test_head_roll_to_either_side():
    groups, names = slice_groups("roll", pd.Series([-20.0, 0, 5, 6, 15, np.nan]))
    assert list(groups) == [
        "tilted, over 15", "upright, up to 5", "upright, up to 5", "5 to 15", "5 to 15", "no face found",
    ]  # fmt: skip
    assert names == ["upright, up to 5", "5 to 15", "tilted, over 15", "no face found"]


def test_agreement_of_ten_annotators():
    groups, _ = slice_groups("agreement", pd.Series([0.5, 0.6, 0.9, 1.0]))
    assert list(groups) == ["divided, up to 50 %", "50 % to 70 %", "70 % to 90 %", "united, over 90 %"]


@given(st.sampled_from(list(PROPERTIES)), st.lists(st.one_of(st.floats(0, 1e5), st.just(np.nan)), min_size=1))
def test_every_face_is_in_one_listed_group(name, values):
    groups, names = slice_groups(name, pd.Series(values, dtype=float))
    assert set(groups) == set(names)
    assert len(groups) == len(values)


def test_equal_faces_and_an_unknown_property():
    groups, names = slice_groups("contrast", pd.Series([7.0] * 5))
    assert names == ["low, up to 7"]
    assert len(groups) == 5
    with pytest.raises(FerError, match="Unknown property"):
        slice_groups("beauty", pd.Series([1.0]))
