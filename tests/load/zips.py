"""Zips and tables, as pages and `audit` read them, and folders of odd file names, as `predict` reads them."""

from __future__ import annotations

import contextlib
import functools
import gzip
import io
import json
import os
import shutil
import tempfile
import zipfile
from csv import reader
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from typer.testing import CliRunner

from fer_core.cli import app
from fer_core.data import IMAGE_SUFFIXES, sample_portrait
from fer_core.files import home
from fer_core.names import is_junk
from tests.bad_inputs import encoded
from tests.load.material import Input, csv, head, packed
from tests.load.pictures import picture_bombs


@functools.cache
def zips() -> dict[str, bytes]:
    face = head().resize((96, 96))
    classes = {
        f"{name}/{k}.png": encoded(face.rotate(7 * k + len(name)), "PNG") for name in ("happy", "sad") for k in range(3)
    }
    people = {f"{20 + k}_{k % 2}_0_x.jpg": encoded(face.rotate(5 * k), "JPEG") for k in range(4)}
    listed = b"file,gender,age,expression\n" + b"".join(
        f"{name},{'fm'[k % 2]},{20 + k},happy\n".encode() for k, name in enumerate(people)
    )
    faces = {
        f"{split}/{name}/{prefix}_{k}.png": encoded(face.convert("L").resize((48, 48)).rotate(k), "PNG")
        for split, prefix in (("train", "Training"), ("test", "PublicTest"))
        for name in ("happy", "sad")
        for k in range(2)
    }
    backslashes = {name.replace("/", "\\"): content for name, content in classes.items()}
    return {
        "classes.zip": packed(classes),
        "powershell.zip": packed({"happy\\": b"", "sad\\": b""} | backslashes),
        "people.zip": packed(people),
        "listed.zip": packed({**people, "table.csv": listed}),
        "fer2013 csv.zip": packed({"fer2013.csv": csv(20)}),
        "fer2013 folders.zip": packed(faces),
    }


@functools.cache
def zip_bombs() -> dict[str, bytes]:
    zeros = bytes(1 << 20)
    wrapped = packed({"happy/a.zip": packed({f"{k}.png": zeros for k in range(60)})})
    large = io.BytesIO()
    with zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("happy/a.png", "sad/a.png"):
            with archive.open(name, "w", force_zip64=True) as one:
                for _ in range(300):
                    one.write(zeros)
    return {
        "zeros.zip": large.getvalue(),
        "nested.zip": wrapped,
        "below the limit.zip": packed({"happy/a.png": zeros * 30, "sad/a.png": zeros * 30}),
        "many.zip": packed({f"happy/{k}.png": b"" for k in range(20_000)}),
        "picture bombs.zip": packed(
            {f"{name}/{k}.png": picture_bombs()["colour.png"] for name in ("happy", "sad") for k in range(1)}
        ),
        "csv.zip": packed({"fer2013.csv": b"emotion,pixels,Usage\n" + b"\n" * (60 << 20)}),
    }


def read_zip(given: Input, folder: Path) -> list[str]:
    """The pages Fine-tune (which keeps the zip), Dataset and Fairness, and FER2013 from a zip."""
    if given.name.startswith("fer2013") or given.name == "csv.zip":
        from fer_core.data import load_fer2013

        path = folder / given.name
        path.write_bytes(given.content)
        load_fer2013(path)
        return []
    return read_people(given, folder) if given.name in ("people.zip", "listed.zip") else _read_classes(given)


def read_people(given: Input, folder: Path) -> list[str]:
    from fer_core.data.pictures import open_grouped
    from fer_core.fairness.faces import picture_faces
    from fer_core.store.folders import load_model

    path = folder / f"upload{Path(given.name).suffix}"
    path.write_bytes(given.content)
    with open_grouped(path) as pictures:
        faces = picture_faces(pictures, load_model(), True)
        for name in faces.divisions:
            faces.compare(name, minimum=1)
    return []


def _read_classes(given: Input) -> list[str]:
    from fer_core.runs.data import DataSettings, load_training_data
    from fer_core.runs.own_pictures import read_own_zip
    from fer_core.runs.uploads import keep_upload

    read_own_zip(io.BytesIO(given.content), given.name, whole_image=True).close()
    place = Path(keep_upload(given.name, given.content))
    try:
        load_training_data(DataSettings("folder", path=str(place), whole_image=True))
        shutil.rmtree(home() / "uploads" / place.parent.name)  # the result: its pictures, unpacked
    finally:
        shutil.rmtree(place.parent)  # the upload itself is kept on purpose
    return []


@functools.cache
def tables() -> dict[str, bytes]:
    votes = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
    votes += "".join(f"Training,fer{k:07d}.png,{k % 5},1,0,0,0,0,3,1,0,{k % 2}\n" for k in range(40))
    people, face = io.BytesIO(), encoded(head().resize((64, 64)), "JPEG")
    files = [f"{k}.jpg" for k in range(6)]
    table = pd.DataFrame({"file": files, "jpeg": face, "gender": list("fmfmfm"), "age": range(6)})
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


def names() -> dict[str, bytes]:
    """Lists of file names in bytes, separated by zeros; a slash is a folder."""
    lists = {
        "endings": ["anna.jpg", "anna.png", "anna-2.jpg", "anna-2-annotated.png", "sub/anna.png"],
        "case": ["Anna.png", "anna.png", "ANNA.PNG", "Zo\u00eb.png", "Zoe\u0308.png", "stra\u00dfe.png", "STRASSE.png"],
        "junk": ["a.png", "._a.png", "@eaDir/a.png/a.png", "x/__MACOSX/a.png", ".thumbnails/a.png", "#recycle/a.png"],
        "formulas": [
            "=1+1.png",
            "+a.png",
            "-2.png",
            "@c.png",
            "\td.png",
            "\re.png",
            "f\n=1.png",
            'g";=1.png',
            "a,b.png",
        ],
        "scripts": [
            "лицо.png",
            "表情.png",
            "😀.png",
            "[red]x.png",
            "sub\\a.png",
            "%E9.png",
            "a'b.png",
            " .png",
            "..png",
        ],
    }
    return {f"{name}.names": "\0".join(found).encode() + b"\0caf\xe9.png" for name, found in lists.items()}


def read_names(given: Input, folder: Path) -> list[str]:
    """Each picture has a row in every output and an annotated picture of its own, and no file is overwritten."""
    picture = encoded(Image.fromarray(sample_portrait()).resize((48, 48)), "PNG")
    with tempfile.TemporaryDirectory(dir=folder) as place, contextlib.chdir(place):
        written = [path for name in given.content.split(b"\0") if (path := _written(name, picture))]
        wanted = sum(path.suffix.lower() in IMAGE_SUFFIXES and not any(map(is_junk, path.parts)) for path in written)
        if wanted:
            files = [answer["file"] for answer in json.loads(_predict("--json", "--annotate", "."))]
            assert len(set(files)) == wanted, f"{len(set(files))} of {wanted} pictures"
            assert all(path.read_bytes() == picture for path in written), "a picture was overwritten"
            rows = list(reader(io.StringIO(_predict("--csv"), newline="")))[1:]
            assert len(rows) == 2 * wanted, f"{len(rows)} rows, {wanted} pictures and as many annotated ones"
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row[:2]), (
                "a formula in the CSV"
            )
            _predict("--out", "out")
            assert len(pd.read_parquet("out")) == len(rows), "another number of rows in Parquet"
    return []


def _predict(*options: str) -> str:
    done = CliRunner().invoke(app, ["predict", ".", "--whole-image", *options])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout_bytes.decode("utf-8")


def _written(name: bytes, picture: bytes) -> Path | None:
    """Write a picture under a name, if the disk takes it and it is not there yet."""
    path = Path(*(part for part in os.fsdecode(name).split("/") if part not in ("", ".", "..")))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as stream:
            stream.write(picture)
    except (OSError, ValueError):
        return None
    return path
