"""FER2013, FER+ and lists of people as tables."""

from __future__ import annotations

import functools
import gzip
import io
from pathlib import Path

import numpy as np
from PIL import Image

from tests.bad_inputs import HEAD, encoded
from tests.load.kinds.material import Input, csv, packed, portrait
from tests.load.kinds.zips import read_people


@functools.cache
def tables() -> dict[str, bytes]:
    votes = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
    votes += "".join(f"Training,fer{k:07d}.png,{k % 5},1,0,0,0,0,3,1,0,{k % 2}\n" for k in range(40))
    import pandas as pd

    people = io.BytesIO()
    head = encoded(Image.fromarray(np.ascontiguousarray(portrait()[HEAD])).resize((64, 64)), "JPEG")
    table = pd.DataFrame(
        {"file": [f"{k}.jpg" for k in range(6)], "jpeg": head, "gender": list("fmfmfm"), "age": range(6)}
    )
    table.to_parquet(people, index=False)
    return {
        "fer2013.csv": csv(12),
        "fer2013.csv.gz": gzip.compress(csv(12)),
        "ferplus.csv": votes.encode(),
        "people.parquet": people.getvalue(),
    }


@functools.cache
def table_bombs() -> dict[str, bytes]:
    header = b"emotion,pixels,Usage\n"
    face = b"3," + b" ".join([b"0"] * 2304) + b",Training\n"
    return {
        "lines.csv.gz": gzip.compress(header + b"\n" * (300 << 20), 9),
        "one line.csv.gz": gzip.compress(header + b"1" * (300 << 20), 9),
        "faces.csv.gz": gzip.compress(header + face * 120_000, 9),
        "quote.csv": header + b'3,"' + b"1 " * (20 << 20),
        "columns.csv": b"," * (30 << 20) + b"\n",
        "nothing.csv": bytes(20 << 20),
        "one row.csv.gz": gzip.compress(header + (b'"",' * 300_000 + b'"\n",') * 300, 9),
        "commas.zip": packed({"table.csv": b"," * 60_000_000 + b"\n", "a.png": b""}),
        "equal rows.parquet": _equal("a.png", 10_000_000, 20),
        "one text.parquet": _equal("x" * 10_000_000, 400, 1),
    }


def _equal(text: str, rows: int, times: int) -> bytes:
    """Return a Parquet table of equal rows: a small file, and gigabytes once each row has its own text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), [text])
    part = pa.table({"file": column, "gender": column})
    with pq.ParquetWriter(stream, part.schema, compression="zstd", store_schema=False) as writer:
        for _ in range(times):
            writer.write_table(part, row_group_size=rows)
    return stream.getvalue()


def read_table(given: Input, folder: Path) -> list[str]:
    from fer_core.data import load_fer2013, load_ferplus

    if given.name.endswith((".parquet", ".zip")):
        return read_people(given, folder)
    path = folder / given.name
    path.write_bytes(given.content)
    (load_ferplus if given.name == "ferplus.csv" else load_fer2013)(path)
    return []
