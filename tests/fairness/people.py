"""Pictures of made-up people with a table: gray squares of a brightness, in a folder or a zip."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from tests.bad_inputs import encoded

TABLE = "file,gender,age,expression\nanna.png,female,34,happy\nben.png,male,61,sad\ncleo.png,female,8,\n"


def picture(gray: int = 120) -> bytes:
    noise = np.random.default_rng(gray).integers(-20, 20, (64, 64)) + gray
    return encoded(Image.fromarray(noise.clip(0, 255).astype(np.uint8)), "PNG")


def write_people(folder: Path, table: str = TABLE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, gray in (("anna", 60), ("ben", 120), ("cleo", 200)):
        (folder / f"{name}.png").write_bytes(picture(gray))
    if table:
        (folder / "table.csv").write_text(table, encoding="utf-8")
    return folder


def zipped(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", folder.parent, folder.name))
