from __future__ import annotations

import numpy as np
import pytest

from fer_core.data import VOTE_COLUMNS, FerPlusVotes
from fer_core.labels import EXPRESSIONS
from fer_core.types import FerError


def votes(**counts: int) -> list[int]:
    return [counts.get(name, 0) for name in VOTE_COLUMNS]


@pytest.fixture
def table() -> FerPlusVotes:
    return FerPlusVotes(
        np.array(
            [
                votes(anger=6, neutral=4),
                votes(happiness=5, sadness=5),
                votes(contempt=7, disgust=3),
                votes(NF=10),
                votes(),
                votes(fear=4, unknown=3, surprise=3),
            ]
        )
    )


def test_plurality(table):
    assert [EXPRESSIONS[i] if i >= 0 else None for i in table.plurality()] == ["angry", None, None, None, None, "fear"]


def test_shares(table):
    shares = table.shares()
    assert shares.shape == (6, 7)
    assert shares[0, EXPRESSIONS.index("angry")] == pytest.approx(0.6)
    assert shares[0, EXPRESSIONS.index("neutral")] == pytest.approx(0.4)
    assert shares[2, EXPRESSIONS.index("disgust")] == 1
    assert shares[5, EXPRESSIONS.index("surprise")] == pytest.approx(3 / 7)
    assert not shares[[3, 4]].any()


def test_agreement(table):
    np.testing.assert_allclose(table.agreement(), [0.6, 0.5, 0.7, 1.0, np.nan, 0.4])


def test_selection(table):
    assert table[np.array([3, 0])].votes.tolist() == table.votes[[3, 0]].tolist()
    assert len(table[np.array([True, False, False, True, False, False])]) == 2


@pytest.mark.parametrize("array", [np.zeros((3, 9), np.int64), np.zeros(10, np.int64), np.zeros((3, 10))])
def test_wrong_arrays(array):
    with pytest.raises(FerError, match=r"Expected votes of shape \(n, 10\) and type int64"):
        FerPlusVotes(array)
    with pytest.raises(FerError, match=r"0 or more. Received: -1"):
        FerPlusVotes(np.full((1, 10), -1))
