"""Folders of pictures with odd file names, as `predict` reads them and writes its results."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import tempfile
from pathlib import Path

import pandas as pd
from PIL import Image
from typer.testing import CliRunner

from fer_core.cli import app
from fer_core.data import IMAGE_SUFFIXES
from fer_core.names import is_junk
from tests.bad_inputs import encoded
from tests.load.kinds.material import Input, portrait

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def names() -> dict[str, bytes]:
    """Lists of names in bytes, separated by zeros; a slash is a folder."""
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
    picture = encoded(Image.fromarray(portrait()).resize((48, 48)), "PNG")
    with tempfile.TemporaryDirectory(dir=folder) as place, contextlib.chdir(place):
        written = [path for name in given.content.split(b"\0") if (path := _written(name, picture))]
        wanted = sum(path.suffix.lower() in IMAGE_SUFFIXES and not any(map(is_junk, path.parts)) for path in written)
        if wanted:
            files = [answer["file"] for answer in json.loads(_predict("--json", "--annotate", "."))]
            assert len(set(files)) == wanted, f"{len(set(files))} of {wanted} pictures"
            assert all(path.read_bytes() == picture for path in written), "a picture was overwritten"
            rows = list(csv.reader(io.StringIO(_predict("--csv"), newline="")))[1:]
            assert len(rows) == 2 * wanted, f"{len(rows)} rows, {wanted} pictures and as many annotated ones"
            assert not any(cell.startswith(FORMULA) for row in rows for cell in row[:2]), "a formula in the CSV"
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
