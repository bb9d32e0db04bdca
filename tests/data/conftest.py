import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fer_core.data import SPLITS, VOTE_COLUMNS, FaceDataset, FerPlusVotes
from fer_core.labels import EXPRESSIONS
from tests.bad_inputs import encoded


def make_dataset(n: int = 21, seed: int = 0) -> FaceDataset:
    """Random faces; labels and splits go round in turn."""
    rng = np.random.default_rng(seed)
    return FaceDataset(
        rng.integers(0, 256, (n, 48, 48), dtype=np.uint8),
        np.arange(n, dtype=np.int64) % 7,
        np.array(SPLITS)[np.arange(n) // 7 % 3],
        np.arange(n, dtype=np.int64),
    )


def csv_text(dataset: FaceDataset) -> str:
    rows = (
        f"{label},{' '.join(map(str, image.ravel().tolist()))},{usage}"
        for image, label, usage in zip(dataset.images, dataset.labels, dataset.usage, strict=True)
    )
    return "\n".join(["emotion,pixels,Usage", *rows]) + "\n"


def votes_of(*faces: dict[str, int]) -> FerPlusVotes:
    return FerPlusVotes(np.array([[face.get(name, 0) for name in VOTE_COLUMNS] for face in faces], np.int64))


def png(height: int = 48, width: int = 48, value: int = 128) -> bytes:
    return encoded(Image.fromarray(np.full((height, width), value, dtype=np.uint8)), "PNG")


def make_zip(path: Any, files: Iterable[tuple[str, bytes]]) -> Any:
    """Write a zip to a path or a stream, and return this."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return path


@pytest.fixture
def small() -> FaceDataset:
    return make_dataset()


@pytest.fixture
def write_image_edition(tmp_path: Path) -> Callable[[FaceDataset], Path]:
    """Write a dataset as the image-folder edition (lossless PNG, so that pixels can be compared)."""

    def write(dataset: FaceDataset) -> Path:
        root = tmp_path / "holder" / "edition"
        for index, (image, usage, label) in enumerate(zip(dataset.images, dataset.usage, dataset.labels, strict=True)):
            folder = root / ("train" if usage == "Training" else "test") / EXPRESSIONS[label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{usage}_{index}.png")
        return root

    return write
