from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_core.fairness.properties import known_properties, measured_properties, slice_groups
from fer_core.types import FerError

ROLL = ["upright, up to 5", "5 to 15", "tilted, over 15", "no face found"]
AGREEMENT = ["divided, up to 50 %", "50 % to 70 %", "70 % to 90 %", "united, over 90 %"]


@pytest.mark.parametrize(
    ("name", "values", "groups", "names"),
    [
        ("brightness", range(90), np.repeat([0, 1, 2], 30), ["dark, up to 30", "30 to 59", "bright, over 59"]),
        ("roll", [-20.0, 0, 5, 6, 15, np.nan], [2, 0, 0, 1, 1, 3], ROLL),  # to either side
        ("agreement", [0.5, 0.6, 0.9, 1.0], [0, 1, 2, 3], AGREEMENT),
        ("contrast", [7.0] * 5, [0] * 5, ["low, up to 7"]),
    ],
)
def test_groups_by_hand(name, values, groups, names):
    chosen, order = slice_groups(name, pd.Series(values, dtype=float))
    assert order == names
    assert list(chosen) == [names[group] for group in groups]


def test_the_shipped_properties_are_those_of_the_pixels(fer2013, ferplus_path):
    known, measured = known_properties(), measured_properties(fer2013)
    assert (known.index == measured.index).all()
    for name in measured:
        np.testing.assert_allclose(known[name], measured[name], atol=0.06, err_msg=name)


def test_a_file_written_anew_reads_the_same(fer2013, ferplus_path, tmp_path):
    rows = [28_709, 30_000, 35_886]
    measured_properties(fer2013.subset(np.array(rows)), tmp_path / "some.npz")
    assert known_properties(tmp_path / "some.npz").equals(known_properties().loc[rows])
    with pytest.raises(FerError, match="with FER\\+'s votes"):
        measured_properties(replace(fer2013.subset(np.arange(5)), votes=None))
