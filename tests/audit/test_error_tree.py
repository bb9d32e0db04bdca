"""The tree of errors finds a planted weakness, counts on faces that did not grow it, and reads well."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.audit.error_tree import error_tree
from fer_core.types import FerError


def planted(n: int = 3000):
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "brightness": rng.uniform(0, 255, n),
            "head roll": np.where(rng.random(n) < 0.1, np.nan, rng.uniform(0, 40, n)),
            "glasses": rng.choice(["yes", "no"], n),
        }
    )
    weak = (table["brightness"] < 60) & (table["glasses"] == "yes")
    return table, (rng.random(n) < np.where(weak, 0.8, 0.1))


def test_a_planted_weakness_is_found():
    table, wrong = planted()
    leaves = error_tree(table, wrong)
    worst = leaves.iloc[0]
    assert "brightness up to" in worst["where"]
    assert "glasses is yes" in worst["where"] or "glasses is not no" in worst["where"]
    assert worst["low"] < 0.8 < worst["high"]
    assert leaves["value"].is_monotonic_decreasing
    assert leaves["faces"].sum() == 1500, "counted on the other half"
    assert np.allclose(leaves["value"], leaves["wrong"] / leaves["faces"])


def test_errors_at_random_look_like_errors_at_random():
    table, _ = planted()
    wrong = np.random.default_rng(2).random(len(table)) < 0.3
    leaves = error_tree(table, wrong)
    inside = (leaves["low"] <= 0.3) & (leaves["high"] >= 0.3)
    assert inside.mean() > 0.7


def test_no_error_at_all_is_one_leaf_and_few_faces_are_refused():
    table, wrong = planted(400)
    leaves = error_tree(table, np.zeros(400, dtype=bool))
    assert list(leaves["where"]) == ["all faces"]
    assert leaves.loc[0, "value"] == 0
    with pytest.raises(FerError, match="at least 200 faces"):
        error_tree(table[:199], wrong[:199])
