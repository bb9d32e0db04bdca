"""Zips of pictures, as the pages Fine-tune, Dataset and Fairness read them."""

from __future__ import annotations

import functools
import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from fer_core.files import home
from tests.bad_inputs import HEAD, encoded
from tests.load.kinds.material import Input, csv, packed, portrait
from tests.load.kinds.pictures import picture_bombs


@functools.cache
def zips() -> dict[str, bytes]:
    head = Image.fromarray(np.ascontiguousarray(portrait()[HEAD])).resize((96, 96))
    classes = {
        f"{name}/{k}.png": encoded(head.rotate(7 * k + len(name)), "PNG") for name in ("happy", "sad") for k in range(3)
    }
    people = {f"{20 + k}_{k % 2}_0_x.jpg": encoded(head.rotate(5 * k), "JPEG") for k in range(4)}
    listed = b"file,gender,age,expression\n" + b"".join(
        f"{name},{'fm'[k % 2]},{20 + k},happy\n".encode() for k, name in enumerate(people)
    )
    faces = {
        f"{split}/{name}/{prefix}_{k}.png": encoded(head.convert("L").resize((48, 48)).rotate(k), "PNG")
        for split, prefix in (("train", "Training"), ("test", "PublicTest"))
        for name in ("happy", "sad")
        for k in range(2)
    }
    return {
        "classes.zip": packed(classes),
        "powershell.zip": packed({f"{name}\\": b"" for name in ("happy", "sad")} | _with_backslashes(classes)),
        "people.zip": packed(people),
        "listed.zip": packed({**people, "table.csv": listed}),
        "fer2013 csv.zip": packed({"fer2013.csv": csv(20)}),
        "fer2013 folders.zip": packed(faces),
    }


def _with_backslashes(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name.replace("/", "\\"): content for name, content in files.items()}


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
    from fer_core.audit.faces import picture_faces
    from fer_core.audit.pictures import open_grouped
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
