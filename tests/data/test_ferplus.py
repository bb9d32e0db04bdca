from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_core.data import VOTE_COLUMNS, FerPlusVotes, load_ferplus
from fer_core.labels import EXPRESSIONS
from fer_core.types import FerError
from tests.conftest import require

HEADER = "Usage,Image name," + ",".join(VOTE_COLUMNS)


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


def test_majority(table):
    assert [EXPRESSIONS[i] if i >= 0 else None for i in table.majority()] == ["angry", None, None, None, None, "fear"]


def test_distribution(table):
    shares = table.distribution()
    assert shares.shape == (6, 7)
    assert shares[0, EXPRESSIONS.index("angry")] == pytest.approx(0.6)
    assert shares[0, EXPRESSIONS.index("neutral")] == pytest.approx(0.4)
    assert shares[2, EXPRESSIONS.index("disgust")] == 1
    assert shares[5, EXPRESSIONS.index("surprise")] == pytest.approx(3 / 7)
    assert np.isnan(shares[[3, 4]]).all()


def test_agreement(table):
    np.testing.assert_allclose(table.agreement(), [0.6, 0.5, 0.7, 1.0, np.nan, 0.4])


def test_align(table):
    assert table.align(np.array([3, 0])).votes.tolist() == table.votes[[3, 0]].tolist()
    with pytest.raises(FerError, match=r"edition with image folders does not contain. Load FER2013 from fer2013.csv"):
        table.align(np.array([-1, 0]))
    with pytest.raises(FerError, match=r"votes for 6 rows only. Received: row 6"):
        table.align(np.array([6]))


@pytest.mark.parametrize("array", [np.zeros((3, 9), np.int64), np.zeros(10, np.int64), np.zeros((3, 10))])
def test_wrong_arrays(array):
    with pytest.raises(FerError, match=r"Expected votes of shape \(n, 10\) and type int64"):
        FerPlusVotes(array)
    with pytest.raises(FerError, match=r"0 or more. Received: -1"):
        FerPlusVotes(np.full((1, 10), -1))


@given(st.lists(st.lists(st.integers(0, 10), min_size=10, max_size=10), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_any_table_survives_the_file(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("votes") / "fer2013new.csv"
    lines = [f"Training,fer{i}.png,{','.join(map(str, row))}" for i, row in enumerate(rows)]
    path.write_text("\n".join([HEADER, *lines]))
    loaded = load_ferplus(path)
    assert loaded.votes.tolist() == rows
    assert ((loaded.majority() >= -1) & (loaded.majority() < 7)).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"votes\.csv is empty \(0 bytes\)"),
        ("\0\0\xff", "has no column 'neutral'"),
        ("a,b\n1,2\n", "has no column 'neutral'. Expected the columns neutral, happiness.*Received: 'a, b'"),
        (HEADER.replace(",NF", "") + "\n", "has no column 'NF'"),
        (HEADER + "\n", "has no rows below its header"),
        (f"{HEADER}\nTraining,a,1,2,3,4,5,6,7,8,9,0\nTraining,b,1,-2,3,4,5,6,7,8,9,0\n",
         r"Row 2 \(below the header\) of votes\.csv has no valid votes for 'happiness'.*Received: '-2'"),
        (f"{HEADER}\nTraining,a,x,2,3,4,5,6,7,8,9,0\n", "Row 1 .* votes for 'neutral'.*Received: 'x'"),
        (f"{HEADER}\nTraining,a,1,2,3,4,5,6,7,8,9,1.5\n", "Row 1 .* votes for 'NF'.*Received: '1.5'"),
        (f"{HEADER}\nTraining,a,1,2\n", "Row 1 .* has 4 columns. Expected 12"),
        (f"{HEADER}\nTraining,a,1,2,3,4,5,6,7,8,9,0,1,2,3\n", "Row 1 .* has 15 columns. Expected 12"),
    ],
)  # fmt: skip
def test_bad_table(tmp_path, text, message):
    path = tmp_path / "votes.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(FerError, match=message):
        load_ferplus(path)


def test_where_it_is_looked_for(home, tmp_path, monkeypatch):
    with pytest.raises(
        FerError, match=r"votes are not here. Download fer2013new.csv from github.com/microsoft/FERPlus"
    ):
        load_ferplus()
    with pytest.raises(FerError, match=r"votes are not here.*Received: .*gone\.csv"):
        load_ferplus(tmp_path / "gone.csv")
    text = f"{HEADER}\nTraining,a,1,2,3,4,0,0,0,0,0,0\n"
    (home / "fer2013").mkdir(parents=True)
    (home / "fer2013" / "fer2013new.csv").write_text(text)
    assert len(load_ferplus()) == 1
    (tmp_path / "votes.csv").write_text(text + text.splitlines()[1])
    monkeypatch.setenv("FERPLUS_PATH", str(tmp_path / "votes.csv"))
    assert len(load_ferplus()) == 2


def test_real_votes(fer2013):
    table = load_ferplus(require("FERPLUS_PATH", "needs the real FER+ votes"))
    assert table.votes.shape == (35_887, 10)
    majority = table.align(fer2013.rows).majority()
    clear = majority >= 0
    assert clear.mean() > 0.9
    agreement = (majority == fer2013.labels)[clear].mean()
    assert 0.6 < agreement < 0.75  # FER+ relabelled about a third; a wrong alignment would give about 0.2
