"""Own pictures: detecting faces, dividing them, and explaining what cannot be used."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.data import read_image, sample_portrait
from fer_core.faces import crop_face, default_detector
from fer_core.files import cache_folder
from fer_core.runs.data import DataSettings, expected_faces, load_training_data
from fer_core.runs.own_pictures import (
    as_faces,
    count_warnings,
    light_warnings,
    read_own_faces,
    read_own_pictures,
    read_own_zip,
)
from fer_core.types import FerError
from tests.app.made_up_runs import portrait, zipped
from tests.data.conftest import make_zip, png
from tests.runs.conftest import write_faces


def head(gain: float) -> Image.Image:
    return Image.fromarray((sample_portrait()[:260, 90:350] * gain).astype(np.uint8))


def test_the_largest_face_is_cut_out_and_pictures_without_one_are_skipped(home, tmp_path):
    gains = [1.0, 0.9, 0.8]
    for name in ("happy", "sad"):
        (tmp_path / name).mkdir()
        for index, gain in enumerate(gains):
            head(gain - 0.3 * (name == "sad")).save(tmp_path / name / f"{index}.png")
    (tmp_path / "sad" / "wall.png").write_bytes(png(200, 200))
    found = read_own_pictures(tmp_path, whole_image=False)
    assert found.skipped == ("sad/wall.png shows no face that can be found and is left out.",)
    assert sorted(found.training.labels.tolist()) == [3, 3, 4, 4]
    assert sorted(found.holdout.labels.tolist()) == [3, 4]
    image = np.asarray(head(1.0))
    expected, _ = crop_face(image, default_detector().detect(image)[0])
    assert any((face == expected).all() for face in (*found.training.images, *found.holdout.images))


def test_crops_stay_as_they_are_and_are_divided_by_class(home, tmp_path):
    root = write_faces(tmp_path / "faces", 20)
    found = read_own_pictures(root, whole_image=True)
    written = {np.asarray(Image.open(path)).tobytes() for path in root.rglob("*.png")}
    assert {face.tobytes() for face in (*found.training.images, *found.holdout.images)} == written
    assert np.bincount(found.holdout.labels).tolist() == [0, 0, 0, 3, 3]
    again = read_own_pictures(root, whole_image=True)
    assert again.holdout.fingerprint == found.holdout.fingerprint


def test_copies_never_stand_on_both_sides(home, tmp_path):
    root = write_faces(tmp_path / "faces", 10)
    for index in range(5):
        (root / "happy" / f"copy-{index}.png").write_bytes((root / "happy" / "000.png").read_bytes())
    (root / "sad" / "other.png").write_bytes((root / "happy" / "001.png").read_bytes())
    chosen = load_training_data(DataSettings("folder", path=str(root), whole_image=True))
    parts = [{face.tobytes() for face in part.images} for part in (chosen.data.training, chosen.data.holdout)]
    assert not parts[0] & parts[1]
    assert chosen.counts.sum(axis=1)[["happy", "sad"]].tolist() == [10, 10]
    assert "6 pictures are exact copies of others" in chosen.warnings[-1]
    assert "different expressions (happy and sad)" in chosen.warnings[-1]
    assert chosen.data.tests is None
    assert expected_faces(DataSettings("folder", path=str(root))) == 26


def zip_of(tmp_path, files):
    return make_zip(tmp_path / "mine.zip", files)


def bomb(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("happy", "sad"):
            archive.writestr(f"{name}/1.bmp", bytes(50_000_000))
    return path


def png_bomb():
    stream = io.BytesIO()
    Image.new("L", (2, 2)).save(stream, "PNG")
    content = bytearray(stream.getvalue())
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: zip_of(p, [("../happy/1.png", png()), ("sad/1.png", png())]), "leads out of its folder"),
        (bomb, "looks like a zip bomb"),
        (lambda p: zip_of(p, [(f"happy/{i}.png", png(value=i)) for i in range(9)]), "has only one class, 'happy'"),
        (
            lambda p: zip_of(p, [("happy/1.png", png(value=1)), ("happy/2.png", png(value=2)), ("sad/1.png", png())]),
            "'sad' in mine.zip has too few readable pictures",
        ),
        (
            lambda p: zip_of(
                p,
                [(f"happy/{i}.png", png(value=i)) for i in range(3)] + [("sad/1.jpg", b"hello"), ("sad/2.png", png())],
            ),
            "'sad' in mine.zip has too few.*sad/1.jpg is not an image",
        ),
        (
            lambda p: zip_of(
                p, [(f"happy/{i}.png", png(value=i)) for i in range(3)] + [(f"sad/{i}.png", png_bomb()) for i in (1, 2)]
            ),
            "Received: 0.*sad/1.png is too large",
        ),
        (
            lambda p: zip_of(p, [(f"{n}/{i}.png", png(value=9)) for n in ("happy", "sad") for i in range(3)]),
            "too few pictures with a face.*exact copies",
        ),
        (lambda p: p / "nothing.zip", "does not exist"),
    ],
)
def test_what_cannot_be_used_is_explained_in_one_sentence(home, tmp_path, make, message):
    with pytest.raises(FerError, match=message) as caught:
        load_training_data(DataSettings("folder", path=str(make(tmp_path)), whole_image=True))
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_no_face_anywhere(home, tmp_path):
    files = [(f"{name}/{i}.png", png(100, 100, value=i)) for name in ("happy", "sad") for i in range(2)]
    with pytest.raises(FerError, match=r"'happy'.*too few pictures with a face.*Received: 0.*shows no face"):
        load_training_data(DataSettings("folder", path=str(zip_of(tmp_path, files))))


def faces_of(levels: dict[int, list[float]]):
    """Faces with a pattern of their own, of the given mean gray levels by class."""
    generator = np.random.default_rng(0)
    images, labels = [], []
    for label, means in levels.items():
        for mean in means:
            images.append(np.clip(generator.normal(mean, 30, (48, 48)), 0, 255))
            labels.append(label)
    return as_faces(np.array(images).astype(np.uint8), np.array(labels))


def test_warnings_about_light():
    mixed = np.linspace(90, 160, 25)
    assert light_warnings(faces_of({3: mixed, 4: mixed})) == []
    same = light_warnings(faces_of({3: [128.0] * 25, 4: mixed}))
    assert len(same) == 1
    assert "All pictures of happy were taken in nearly the same light" in same[0]
    found = light_warnings(faces_of({3: mixed - 60, 4: mixed + 60}))
    assert len(found) == 1
    assert "Brightness alone tells the classes apart" in found[0]


def test_warnings_about_counts():
    warnings = count_warnings(faces_of({0: [100.0] * 20, 3: [100.0] * 19}))
    assert warnings[0].startswith("There are no pictures of disgust, fear, sad, surprise and neutral")
    assert "happy (19)" in warnings[1]
    assert "angry" not in warnings[1]
    assert len(warnings) == 2


FILES = {"happy__a": portrait(), "happy__b": portrait(8), "sad__c": portrait(0, True), "sad__d": portrait(8, True)}


@pytest.fixture
def temporary(home) -> Path:
    """The folder of temporary folders."""
    return cache_folder("visits")


def test_a_zip_is_unpacked_only_until_it_is_closed(home, temporary):
    found = read_own_zip(io.BytesIO(zipped(**FILES)), "../my [faces].zip", whole_image=False)
    assert [found.name(place) for place in range(4)] == ["happy/a", "happy/b", "sad/c", "sad/d"]
    assert found.dataset.labels.tolist() == [3, 3, 4, 4]
    image = read_image(portrait())
    np.testing.assert_array_equal(found.dataset.images[0], crop_face(image, default_detector().detect(image)[0])[0])
    np.testing.assert_array_equal(found.picture(0), image)
    assert [path.name for path in temporary.glob("*/*")] == ["my faces.zip"]
    found.close()
    assert not list(temporary.iterdir())
    assert not (home / "uploads").exists()
    with pytest.raises(FerError, match="does not exist"):
        found.picture(0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"no zip", "is not a zip"), (zipped(happy__a=portrait()), "only one class"), (zipped(), "empty zip")],
)
def test_a_zip_that_cannot_be_used_leaves_nothing(home, temporary, content, sentence):
    with pytest.raises(FerError, match=sentence):
        read_own_zip(io.BytesIO(content), "mine.zip", whole_image=False)
    assert not list(temporary.iterdir())


def test_a_folder_stays_where_it_is(home, tmp_path):
    for name, content in FILES.items():
        path = tmp_path / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    found = read_own_faces(tmp_path, whole_image=True)
    found.close()
    assert len(found.dataset) == 4
    assert found.picture(3).shape == read_image(portrait()).shape
