"""Zips and tables, as pages and `audit` read them."""

import functools
import gzip
import io
import shutil
from pathlib import Path

import pandas as pd

from fer_core.data import load_fer2013, load_ferplus
from fer_core.data.pictures import open_grouped
from fer_core.fairness.faces import picture_faces
from fer_core.runs.data import DataSettings, load_training_data
from fer_core.runs.own_pictures import read_own_zip
from fer_core.runs.uploads import keep_upload
from fer_core.store.folders import load_model
from tests.bad_inputs import encoded
from tests.data.conftest import csv_text, make_dataset
from tests.load.home import Input, face, packed


def _csv(faces: int) -> bytes:
    return csv_text(make_dataset(faces)).encode()


def _png(size: int, turn: float) -> bytes:
    return encoded(face().convert("L" if size == 48 else "RGB").resize((size, size)).rotate(turn), "PNG")


@functools.cache
def zips() -> dict[str, bytes]:
    names = ("happy", "sad")
    classes = {f"{name}/{k}.png": _png(96, 7 * k + len(name)) for name in names for k in range(3)}
    backslashes = {name.replace("/", "\\"): content for name, content in classes.items()}
    people = {f"{20 + k}_{k % 2}_0_x.png": _png(96, 5 * k) for k in range(4)}
    listed = "\n".join(["file,gender,age,expression", *(f"{name},{name[3]},20,happy" for name in people)])
    splits = (("train", "Training"), ("test", "PublicTest"))
    faces = {f"{part}/{n}/{usage}_{k}.png": _png(48, k) for part, usage in splits for n in names for k in range(2)}
    return {
        "classes.zip": packed(classes),
        "powershell.zip": packed({"happy\\": b"", "sad\\": b""} | backslashes),
        "people.zip": packed(people),
        "listed.zip": packed({**people, "table.csv": listed.encode()}),
        "fer2013 csv.zip": packed({"fer2013.csv": _csv(21)}),
        "fer2013 folders.zip": packed(faces),
    }


def read_zip(given: Input, folder: Path) -> list[str]:
    """The pages Fine-tune (which keeps the zip), Dataset and Fairness, and FER2013 from a zip."""
    if given.name in ("people.zip", "listed.zip"):
        return _read_people(given, folder)
    if given.name.startswith("fer2013"):
        path = folder / given.name
        path.write_bytes(given.content)
        load_fer2013(path)
        return []
    read_own_zip(io.BytesIO(given.content), given.name, whole_image=True).close()
    kept = Path(keep_upload(given.name, given.content))
    try:
        load_training_data(DataSettings("folder", path=str(kept), whole_image=True))
    finally:
        shutil.rmtree(kept.parent)  # the upload itself is kept on purpose
    return []


def _read_people(given: Input, folder: Path) -> list[str]:
    path = folder / f"upload{Path(given.name).suffix}"
    path.write_bytes(given.content)
    with open_grouped(path) as pictures:
        faces = picture_faces(pictures, load_model(), True)
        for name in faces.divisions:
            faces.compare(name, minimum=1)
    return []


@functools.cache
def tables() -> dict[str, bytes]:
    votes = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
    votes += "".join(f"Training,fer{k:07d}.png,{k % 5},1,0,0,0,0,3,1,0,{k % 2}\n" for k in range(40))
    files = [f"{k}.jpg" for k in range(6)]
    people = pd.DataFrame({"file": files, "jpeg": _png(64, 0), "gender": list("fmfmfm"), "age": range(6)})
    return {
        "fer2013.csv": _csv(21),
        "fer2013.csv.gz": gzip.compress(_csv(21)),
        "ferplus.csv": votes.encode(),
        "people.parquet": people.to_parquet(index=False),
    }


def read_table(given: Input, folder: Path) -> list[str]:
    if given.name.endswith(".parquet"):
        return _read_people(given, folder)
    path = folder / given.name
    path.write_bytes(given.content)
    (load_ferplus if given.name == "ferplus.csv" else load_fer2013)(path)
    return []
