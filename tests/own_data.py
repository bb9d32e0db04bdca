"""Data sets in the shapes of the field, made from FER2013's faces or from noise."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from fer_core.data import FaceDataset
from fer_core.labels import EXPRESSIONS

RAF_DB = {"surprise": 1, "fear": 2, "disgust": 3, "happy": 4, "sad": 5, "angry": 6, "neutral": 7}
CK_PLUS = {"angry": "anger", "happy": "happy", "sad": "sadness"}
AFFECTNET = {"neutral": 0, "happy": 1, "sad": 2, "surprise": 3, "fear": 4, "disgust": 5, "angry": 6}


def noise(each: int = 3) -> FaceDataset:
    """`each` faces of noise for every expression, in turn."""
    n = 7 * each
    pixels = np.random.default_rng(0).integers(0, 256, (n, 48, 48), dtype=np.uint8)
    return FaceDataset(pixels, np.arange(n) % 7, np.full(n, "PublicTest"), np.full(n, -1))


def some_of(dataset: FaceDataset, each: int) -> FaceDataset:
    """The first faces of each expression in PublicTest, in turn."""
    test = dataset.split("PublicTest")
    places = [np.flatnonzero(test.labels == label)[:each] for label in range(7)]
    return test.subset(np.stack(places, axis=1).ravel())


def save(face: np.ndarray, path: Path, side: int = 100) -> None:
    """Write a face as a colour picture of another size: aligned JPEG of 100 pixels as of RAF-DB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    large = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
    Image.fromarray(large).convert("RGB").save(path, quality=95)


def raf_db(folder: Path, faces: FaceDataset) -> Path:
    """Numbered classes in train/ and test/, the even faces in train, and two tables beside."""
    for place, (face, label) in enumerate(zip(faces.images, faces.labels, strict=True)):
        split = "test" if place % 2 else "train"
        number = str(RAF_DB[EXPRESSIONS[label]])
        save(face, folder / "DATASET" / split / number / f"{split}_{place:05d}_aligned.jpg")
    for split in ("train", "test"):
        (folder / f"{split}_labels.csv").write_text("image,label\nx.jpg,1\n", encoding="utf-8")
    return folder


def ck_plus(folder: Path, faces: FaceDataset) -> Path:
    """Words with contempt, in PNG of 48 pixels, without splits and without neutral."""
    for place, (face, label) in enumerate(zip(faces.images, faces.labels, strict=True)):
        name = EXPRESSIONS[label]
        if name != "neutral":
            save(face, folder / CK_PLUS.get(name, name) / f"S{place:03d}.png", side=48)
    save(faces.images[0], folder / "contempt" / "S999.png", side=48)
    return folder


def own_study(folder: Path, classes: tuple[str, ...] = ("calm", "confused", "happy"), each: int = 8) -> Path:
    """Classes of its own in train/ and test/, of noise; half of each class is in test."""
    for place, face in enumerate(noise(each).images[: each * len(classes)]):
        split = "test" if place // len(classes) % 2 else "train"
        save(face, folder / split / classes[place % len(classes)] / f"{place}.png", side=48)
    return folder


def affectnet(folder: Path, faces: FaceDataset) -> Path:
    """Eight numbered classes from 0 to 7 in train and val."""
    for place, (face, label) in enumerate(zip(faces.images, faces.labels, strict=True)):
        split = "val" if place % 3 == 0 else "train"
        save(face, folder / split / str(AFFECTNET[EXPRESSIONS[label]]) / f"image{place}.jpg", side=224)
    for k in range(2):
        save(faces.images[k], folder / "train" / "7" / f"c{k}.jpg")
    return folder
