from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_core.data import VOTE_COLUMNS, load_ferplus
from fer_core.types import FerError

HEADER = "Usage,Image name," + ",".join(VOTE_COLUMNS)


@given(st.lists(st.lists(st.integers(0, 10), min_size=10, max_size=10), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_any_table_survives_the_file(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("votes") / "fer2013new.csv"
    lines = [f"Training,fer{i:07d}.png,{','.join(map(str, row))}" for i, row in enumerate(rows)]
    path.write_text("\n".join([HEADER, *lines[::-1]]))  # from the last to the first
    loaded = load_ferplus(path)
    assert loaded.votes[: len(rows)].tolist() == rows
    assert not loaded.votes[len(rows) :].any()
    assert ((loaded.plurality() >= -1) & (loaded.plurality() < 7)).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"votes\.csv is empty \(0 bytes\)"),
        ("\0\0\xff", "has no column 'Image name'"),
        ("a,b\n1,2\n", "has no column 'Image name'. Expected the columns Image name, neutral.*Received: 'a, b'"),
        (HEADER.replace(",NF", "") + "\n", "has no column 'NF'"),
        (HEADER + "\n", "has no rows below its header"),
        (f"{HEADER}\nTraining,3.png,1,2,3,4,0,0,0,0,0,0\n", "names no face of FER2013. Expected names such as fer00"),
        (f"{HEADER}\nTraining,,1,2,3,4,0,0,0,0,0,0\nTraining,,0,2,3,4,0,0,0,0,0,0\n", "different votes in rows with"),
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
    with pytest.raises(FerError, match=r"votes are not here. Get them with `fer-lab data download`"):
        load_ferplus()
    with pytest.raises(FerError, match=r"votes are not here.*Received: .*gone\.csv"):
        load_ferplus(tmp_path / "gone.csv")
    text = f"{HEADER}\nTraining,fer0000004.png,1,2,3,4,0,0,0,0,0,0\n"
    (home / "fer2013").mkdir(parents=True)
    (home / "fer2013" / "fer2013new.csv").write_text(text)
    assert np.flatnonzero(load_ferplus().votes.any(axis=1)).tolist() == [4]
    (tmp_path / "votes.csv").write_text(text.replace("fer0000004", "fer0000059"))
    monkeypatch.setenv("FERPLUS_PATH", str(tmp_path / "votes.csv"))
    assert np.flatnonzero(load_ferplus().votes.any(axis=1)).tolist() == [60]  # the picture of row 59 was removed


def test_rows_in_another_order_belong_to_the_same_faces(ferplus_path, tmp_path):
    """Also the 173 rows without a name, and the eight with a name that occurs twice."""
    header, *lines = ferplus_path.read_text().splitlines()
    expected = [[int(value) for value in line.split(",")[2:]] for line in lines]
    assert load_ferplus(ferplus_path).votes.tolist() == expected
    order = np.random.default_rng(0).permutation(len(lines))
    (tmp_path / "votes.csv").write_text("\n".join([header, *(lines[k] for k in order)]))
    assert load_ferplus(tmp_path / "votes.csv").votes.tolist() == expected


def test_real_votes(fer2013, ferplus_path):
    table = load_ferplus(ferplus_path)
    assert table.votes.shape == (35_887, 10)
    for split, faces, agreement in (("public_test", 3_372, 0.654), ("private_test", 3_350, 0.656)):
        part = fer2013.with_votes(table).split(split)
        clear = part.plurality >= 0
        assert clear.sum() == faces
        assert (part.plurality == part.labels)[clear].mean() == pytest.approx(agreement, abs=0.0005)
