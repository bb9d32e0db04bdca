"""Batches hold every row once an epoch, with its own target and weight."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fer_core.training.fit import Batches


def epoch(batches):
    rows = [batches[index] for index in range(len(batches))]
    batches.on_epoch_end()
    return rows


@given(n=st.integers(1, 40), size=st.integers(1, 17), seed=st.none() | st.integers(0, 9))
def test_every_row_once_with_its_own(n, size, seed):
    x = np.arange(n)[:, None]
    batches = Batches(x, {"twice": 2 * x, "square": x**2}, size, seed, x[:, 0].astype("float32") / 7)
    for _ in range(2):
        parts = epoch(batches)
        assert [len(part[0]) for part in parts[:-1]] == [size] * (len(parts) - 1)
        assert 1 <= len(parts[-1][0]) <= size
        seen = np.concatenate([part[0] for part in parts])[:, 0]
        assert sorted(seen) == list(range(n))
        if seed is None:
            assert seen.tolist() == list(range(n))
        for faces, targets, weights in parts:
            np.testing.assert_array_equal(targets["twice"], 2 * faces)
            np.testing.assert_array_equal(targets["square"], faces**2)
            np.testing.assert_allclose(weights, faces[:, 0] / 7, rtol=1e-6)


def test_the_order_is_new_every_epoch_and_the_same_for_a_seed():
    x = np.arange(100)
    one, other = Batches(x, x, 100, seed=3), Batches(x, x, 100, seed=3)
    first, second = epoch(one)[0][0].tolist(), epoch(one)[0][0].tolist()
    assert first != second
    assert [epoch(other)[0][0].tolist(), epoch(other)[0][0].tolist()] == [first, second]
