"""Own pictures: detecting faces, dividing them, and explaining what cannot be used."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.data import read_image
from fer_core.faces import crop_face, default_detector
from fer_core.files import cache_folder
from fer_core.runs.data import DataSettings, LoadedData, expected_faces, load_for_run, load_training_data
from fer_core.runs.own_pictures import as_faces, count_warnings, light_warnings, read_own_faces, read_own_zip
from fer_core.types import FerError
from tests.app.made_up_runs import portrait, zipped
from tests.data.conftest import make_zip, png
from tests.runs.conftest import head, write_faces


def loaded(path: Path, whole_image: bool = True) -> LoadedData:
    return load_training_data(DataSettings("folder", path=str(path), whole_image=whole_image))


def pixels(chosen: LoadedData) -> list[set[bytes]]:
    return [{face.tobytes() for face in part.images} for part in (chosen.data.training, chosen.data.holdout)]


def test_the_largest_face_is_cut_out_and_pictures_without_one_are_skipped(home, tmp_path):
    for name, less in (("happy", 0.0), ("sad", 0.3)):
        (tmp_path / name).mkdir()
        for index, gain in enumerate((1.0, 0.9, 0.8)):
            (tmp_path / name / f"{index}.png").write_bytes(head(gain - less))
    (tmp_path / "sad" / "wall.png").write_bytes(png(200, 200))
    chosen = loaded(tmp_path, whole_image=False)
    assert chosen.skipped == ("sad/wall.png shows no face that can be found and is left out.",)
    assert sorted(chosen.data.training.labels.tolist()) == [3, 3, 4, 4]
    assert sorted(chosen.data.holdout.labels.tolist()) == [3, 4]
    image = read_image(head())
    assert crop_face(image, default_detector().detect(image)[0])[0].tobytes() in set.union(*pixels(chosen))


def test_crops_stay_as_they_are_are_divided_by_class_and_kept_for_the_run(home, tmp_path):
    root = write_faces(tmp_path / "faces", 20)
    settings = DataSettings("folder", path=str(root), whole_image=True)
    chosen = load_for_run(tmp_path, settings, say=lambda _: None)
    assert set.union(*pixels(chosen)) == {np.asarray(Image.open(path)).tobytes() for path in root.rglob("*.png")}
    assert np.bincount(chosen.data.holdout.labels).tolist() == [0, 0, 0, 3, 3]
    assert loaded(root).data.fingerprint == chosen.data.fingerprint
    (root / "happy" / "000.png").unlink()
    again = load_for_run(tmp_path, settings, say=lambda _: None)
    assert again.data.fingerprint == chosen.data.fingerprint
    assert (again.warnings, again.skipped, again.data.name) == (chosen.warnings, chosen.skipped, chosen.data.name)


def test_copies_never_stand_on_both_sides(home, tmp_path):
    root = write_faces(tmp_path / "faces", 10)
    for index in range(5):
        (root / "happy" / f"copy-{index}.png").write_bytes((root / "happy" / "000.png").read_bytes())
    (root / "sad" / "other.png").write_bytes((root / "happy" / "001.png").read_bytes())
    chosen = loaded(root)
    assert not set.intersection(*pixels(chosen))
    assert chosen.counts.sum(axis=1)[["happy", "sad"]].tolist() == [10, 10]
    assert "6 pictures are exact copies of others" in chosen.warnings[-1]
    assert "different expressions (happy and sad)" in chosen.warnings[-1]
    assert chosen.data.tests is None
    assert expected_faces(DataSettings("folder", path=str(root))) == 26


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([("../happy/1.png", png()), ("sad/1.png", png())], "leads out of its folder"),
        (
            [*[(f"happy/{i}.png", png(value=i)) for i in range(3)], ("sad/1.jpg", b"hello"), ("sad/2.png", png())],
            "'sad' in mine.zip has too few.*sad/1.jpg is not an image",
        ),
        (
            [(f"{n}/{i}.png", png(value=9)) for n in ("happy", "sad") for i in range(3)],
            "too few pictures with a face.*exact copies",
        ),
        (
            [(f"{n}/{i}.png", png(100, 100, value=i)) for n in ("happy", "sad") for i in range(2)],
            "'happy'.*too few pictures with a face.*Received: 0.*shows no face",
        ),
    ],
)
def test_what_cannot_be_used_is_explained_in_one_sentence(home, tmp_path, files, message):
    with pytest.raises(FerError, match=message) as caught:
        loaded(make_zip(tmp_path / "mine.zip", files), whole_image="no face" not in message)
    assert "\n" not in str(caught.value)


def faces_of(levels: dict[int, list[float]]):
    """Faces with a pattern of their own, of the given mean gray levels by class."""
    generator = np.random.default_rng(0)
    pairs = [(label, mean) for label, means in levels.items() for mean in means]
    images = [np.clip(generator.normal(mean, 30, (48, 48)), 0, 255) for _, mean in pairs]
    return as_faces(np.array(images).astype(np.uint8), np.array([label for label, _ in pairs]))


def test_warnings_about_light_and_counts():
    mixed = np.linspace(90, 160, 25)
    assert light_warnings(faces_of({3: mixed, 4: mixed})) == []
    assert light_warnings(faces_of({3: [128.0] * 4, 4: [60.0] * 4})) == [], "too few to judge"
    (same,) = light_warnings(faces_of({3: [128.0] * 25, 4: mixed}))
    assert "All pictures of happy were taken in nearly the same light" in same
    (apart,) = light_warnings(faces_of({3: mixed - 60, 4: mixed + 60}))
    assert "Brightness alone tells the classes apart (100% right)" in apart
    none, few = count_warnings(faces_of({0: [100.0] * 20, 3: [100.0] * 19}))
    assert none.startswith("There are no pictures of disgust, fear, sad, surprise and neutral")
    assert "happy (19)" in few
    assert "angry" not in few


FILES = {"happy__a": portrait(), "happy__b": portrait(8), "sad__c": portrait(0, True), "sad__d": portrait(8, True)}


def test_a_zip_is_unpacked_only_until_it_is_closed_and_a_folder_stays(home, tmp_path):
    temporary = cache_folder("visits")
    faces = read_own_zip(io.BytesIO(zipped(**FILES)), "../my [faces].zip", whole_image=False)
    assert [faces.name(place) for place in range(4)] == ["happy/a", "happy/b", "sad/c", "sad/d"]
    assert faces.dataset.labels.tolist() == [3, 3, 4, 4]
    image = read_image(portrait())
    np.testing.assert_array_equal(faces.dataset.images[0], crop_face(image, default_detector().detect(image)[0])[0])
    np.testing.assert_array_equal(faces.picture(0), image)
    assert [path.name for path in temporary.glob("*/*")] == ["my faces.zip"]
    faces.close()
    assert not list(temporary.iterdir())
    assert not (home / "uploads").exists()
    with pytest.raises(FerError, match="does not exist"):
        faces.picture(0)
    own = read_own_faces(write_faces(tmp_path / "own", 2), whole_image=True)
    own.close()
    assert own.picture(3).shape == (48, 48, 3)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"no zip", "is not a zip"), (zipped(happy__a=portrait()), "only one class"), (zipped(), "empty zip")],
)
def test_a_zip_that_cannot_be_used_leaves_nothing(home, content, sentence):
    with pytest.raises(FerError, match=sentence):
        read_own_zip(io.BytesIO(content), "mine.zip", whole_image=False)
    assert not list(cache_folder("visits").iterdir())
