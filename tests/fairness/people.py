"""Pictures of made-up people with a table: gray squares of a brightness, in a folder or a zip."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

TABLE = "file,gender,age,expression\nanna.png,female,34,happy\nben.png,male,61,sad\ncleo.png,female,8,\n"


def picture(gray: int = 120) -> bytes:
    stream = io.BytesIO()
    noise = np.random.default_rng(gray).integers(-20, 20, (64, 64)) + gray
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def write_people(folder: Path, table: str = TABLE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, gray in (("anna", 60), ("ben", 120), ("cleo", 200)):
        (folder / f"{name}.png").write_bytes(picture(gray))
    if table:
        (folder / "table.csv").write_text(table, encoding="utf-8")
    return folder


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, f"people/{file.relative_to(folder)}")
    return path
