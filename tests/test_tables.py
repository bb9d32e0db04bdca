"""Tables that somebody brings: cells as in the file, and small files that claim or unpack to a large table."""

import gzip
import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fer_core import tables
from fer_core.tables import read_rows, read_table
from fer_core.types import FerError


def test_cells_are_what_the_file_says(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text('\ufeffname,value\nNA,None\n"(25, 32)",nan\nNULL,\n007,1e3\n', encoding="utf-8")
    table = read_table(path)
    assert table.columns.tolist() == ["name", "value"]
    assert table["name"].tolist() == ["NA", "(25, 32)", "NULL", "007"]
    assert table["value"].tolist() == ["None", "nan", "", "1e3"]
    assert read_table(path, ["value", "other"]).columns.tolist() == ["value"]


def test_many_pieces_are_one_table(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_AT_ONCE", 7)
    table = pd.DataFrame({"a": [f"x{k % 5}" for k in range(50)], "b": np.arange(50) / 3, "c": [b"x", None] * 25})
    table.to_parquet(tmp_path / "table.parquet", index=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / "table.parquet"), pd.read_parquet(tmp_path / "table.parquet"))
    table[["a", "b"]].to_csv(tmp_path / "table.csv", index=False)
    read = read_table(tmp_path / "table.csv")
    assert read["a"].tolist() == table["a"].tolist()
    assert pd.to_numeric(read["b"]).tolist() == table["b"].tolist()  # to the last bit


def test_a_table_that_is_still_written(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,loss\n0,1.5\n1\n1,1.25\n2,0.7", encoding="utf-8")  # the last number was to be 0.75
    assert read_table(path, partial=True)["loss"].tolist() == ["1.5", "1.25"]
    with pytest.raises(FerError, match=r"Row 2 .* has 1 columns\. Expected 2"):
        read_table(path)


TWENTY = "a,b\n" + "1,2\n" * 20


@pytest.mark.parametrize(
    ("limit", "value", "text"),
    [
        ("MAX_COLUMNS", 3, "a,b,c,d\n1,2,3,4\n"),
        ("MAX_CELLS", 30, TWENTY),
        ("MAX_ROWS", 15, TWENTY),
        ("MAX_ROWS", 15, "a,b\n1,2\n" + "\n" * 20),
        ("MAX_BYTES", 50, TWENTY),
        ("_MAX_LINE", 20, "a,b\n" + '"\n",' * 20),
    ],
)
def test_limits(tmp_path, monkeypatch, limit, value, text):
    monkeypatch.setattr(tables, limit, value)
    monkeypatch.setattr(tables, "_AT_ONCE", 4)
    pd.DataFrame({"a": range(50), "b": "x", "c": b"picture", "d": 0}).to_parquet(tmp_path / "table.parquet")
    contents = {"table.csv": text.encode(), "table.csv.gz": gzip.compress(text.encode())}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for name in (*contents, *["table.parquet"] * (limit != "_MAX_LINE")):
        with pytest.raises(FerError, match=rf"{name} is too large\. Expected "):
            read_table(tmp_path / name)


def test_equal_texts_count_for_each_row_before_they_are_copied(tmp_path, monkeypatch):
    """One text of 100 kB in 400 rows: a file of kilobytes, and 40 MB once each row has its own."""
    monkeypatch.setattr(tables, "MAX_BYTES", 20_000_000)
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"file": ["x" * 100_000] * 400}), path, compression="zstd")
    assert path.stat().st_size < 10_000
    tracemalloc.start()
    with pytest.raises(FerError, match="is too large"):
        read_table(path)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


def test_lists_and_damage_get_a_sentence(tmp_path):
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": [[1, 2], [3]]}), path)
    half = path.read_bytes()[:-20]
    with pytest.raises(FerError, match="has lists in its cells"):
        read_table(path)
    parquet = [("table.parquet", content, "cannot be read as a Parquet table") for content in (b"", b"PAR1", half)]
    csv = [(b"", "is empty"), (b"\n\n", "only blank lines"), (b"\x1f\x8b no", "damaged or cut off")]
    for name, content, words in [*parquet, *(("table.csv", *pair) for pair in csv)]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FerError, match=words):
            read_table(tmp_path / name)
    with pytest.raises(FerError, match="cannot be read"):
        read_table(tmp_path / "gone.csv")


def test_rows_are_streamed(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("A, b,c\n1,2,3\n\n4,5,6\n", encoding="utf-8")
    assert [values for _, values in read_rows(path, ("c", "a"))] == [["3", "1"], ["6", "4"]]
    with pytest.raises(FerError, match="has no column 'd'"):
        next(read_rows(path, ("d",)))
