"""What people bring: detecting and dividing the faces of their pictures, snapshots, and uploaded zips."""

import errno
import io
import os
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.data import read_image
from fer_core.faces import crop_face, default_detector
from fer_core.files import cache_folder, write_json
from fer_core.runs import uploads as module
from fer_core.runs.data import DataSettings, LoadedData, expected_faces, load_for_run, load_training_data
from fer_core.runs.own_pictures import as_faces, count_warnings, light_warnings, read_own_faces, read_own_zip
from fer_core.runs.run import KEPT_DAYS, PLAN, list_runs
from fer_core.runs.uploads import Collection, Snapshot, keep_upload, list_collections
from fer_core.threads import in_parallel
from fer_core.types import FerError
from tests.app.made_up_runs import made_run, portrait, zipped
from tests.bad_inputs import bad_inputs
from tests.data.conftest import make_zip, png
from tests.runs.conftest import head, write_faces


def loaded(path: Path, whole_image: bool = True) -> LoadedData:
    return load_training_data(DataSettings("folder", path=str(path), whole_image=whole_image))


def face_on(picture: bytes) -> np.ndarray:
    image = read_image(picture)
    return crop_face(image, default_detector().detect(image)[0])[0]


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
    assert chosen.counts.loc[["happy", "sad"]].to_numpy().tolist() == [[2, 1], [2, 1]]
    assert face_on(head()).tobytes() in set.union(*pixels(chosen))


def test_crops_stay_as_they_are_are_divided_by_class_and_kept_for_the_run(home, tmp_path):
    root = write_faces(tmp_path / "faces", 20)
    settings = DataSettings("folder", path=str(root), whole_image=True)
    chosen = load_for_run(tmp_path, settings, say=lambda _: None)
    assert set.union(*pixels(chosen)) == {np.asarray(Image.open(path)).tobytes() for path in root.rglob("*.png")}
    assert np.bincount(chosen.data.holdout.labels).tolist() == [0, 0, 0, 3, 3]
    assert loaded(root).data.fingerprint == chosen.data.fingerprint
    (root / "happy" / "000.png").unlink()
    again = load_for_run(tmp_path, settings, say=lambda _: None)
    assert (again.data.fingerprint, again.data.name) == (chosen.data.fingerprint, chosen.data.name)
    assert (again.warnings, again.skipped) == (chosen.warnings, chosen.skipped)


def test_copies_never_stand_on_both_sides(home, tmp_path):
    root = write_faces(tmp_path / "faces", 10)
    for index in range(5):
        (root / "happy" / f"copy-{index}.png").write_bytes((root / "happy" / "000.png").read_bytes())
    (root / "sad" / "other.png").write_bytes((root / "happy" / "001.png").read_bytes())
    chosen = loaded(root)
    assert not set.intersection(*pixels(chosen))
    assert chosen.counts.sum(axis=1)[["happy", "sad"]].tolist() == [10, 10]
    for words in ("6 pictures are exact copies of others", "different expressions (happy and sad)"):
        assert words in chosen.warnings[-1]
    assert chosen.data.tests is None
    assert expected_faces(DataSettings("folder", path=str(root))) == 26


@pytest.mark.parametrize(
    ("files", "message"),
    [
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
    labels = np.repeat(list(levels), [len(means) for means in levels.values()])
    images = np.random.default_rng(0).normal(0, 30, (len(labels), 48, 48))
    images += np.concatenate(list(levels.values()))[:, None, None]
    return as_faces(images.clip(0, 255).astype(np.uint8), labels)


def test_warnings_about_light_and_counts():
    mixed, few = np.linspace(90, 160, 25), {3: [128.0] * 4, 4: [60.0] * 4}
    assert light_warnings(faces_of({3: mixed, 4: mixed})) == light_warnings(faces_of(few)) == []
    (same,) = light_warnings(faces_of({3: [128.0] * 25, 4: mixed}))
    assert "All pictures of happy were taken in nearly the same light" in same
    (apart,) = light_warnings(faces_of({3: mixed - 60, 4: mixed + 60}))
    assert "Brightness alone tells the classes apart (100 % right)" in apart
    none, few = count_warnings(faces_of({0: [100.0] * 20, 3: [100.0] * 19}))
    assert none.startswith("There are no pictures of disgust, fear, sad, surprise and neutral")
    assert "happy (19)" in few and "angry" not in few


def test_a_zip_is_unpacked_only_until_it_is_closed_and_a_folder_stays(home, tmp_path):
    temporary = cache_folder("visits")
    names = ("happy__a", "happy__b", "sad__c", "sad__d")
    files = {name: portrait(8 * (number % 2), number > 1) for number, name in enumerate(names)}
    faces = read_own_zip(io.BytesIO(zipped(**files)), "../my [faces].zip", whole_image=False)
    assert list(faces.names) == ["happy/a", "happy/b", "sad/c", "sad/d"]
    assert faces.dataset.labels.tolist() == [3, 3, 4, 4]
    np.testing.assert_array_equal(faces.dataset.images[0], face_on(portrait()))
    np.testing.assert_array_equal(faces.picture(0), read_image(portrait()))
    assert [path.name for path in temporary.glob("*/*")] == ["my faces.zip"]
    faces.close()
    assert not list(temporary.iterdir()) and not (home / "uploads").exists()
    with pytest.raises(FerError, match="does not exist"):
        faces.picture(0)
    own = read_own_faces(write_faces(tmp_path / "own", 2), whole_image=True)
    own.close()
    assert own.picture(3).shape == (48, 48, 3)


def test_a_zip_that_cannot_be_used_leaves_nothing(home):
    for content, sentence in [(b"no zip", "is not a zip"), (zipped(happy__a=portrait()), "only one class")]:
        with pytest.raises(FerError, match=sentence):
            read_own_zip(io.BytesIO(content), "mine.zip", whole_image=False)
        assert not list(cache_folder("visits").iterdir())


def numbers(collection: Collection, expression: str = "happy") -> list[int]:
    return [snapshot.number for snapshot in collection.snapshots(expression)]


def test_collect_look_and_remove(home):
    mine = Collection("mine")
    assert list_collections() == [] and not home.joinpath("uploads").exists()
    assert mine.missing == "Collect snapshots of at least two expressions to tell apart."
    first = mine.add(head(), "happy")
    assert (read_image(first.png)[:, :, 0] == face_on(head())).all()
    mine.add(head(0.8), "happy")
    mine.add(head(0.6), "Sadness")
    assert {name: count for name, count in mine.counts().items() if count} == {"happy": 2, "sad": 1}
    assert mine.snapshots("happy")[0] == Snapshot(1, first.png)
    assert mine.missing == "Take at least 2 snapshots of sad, or remove what it has."
    mine.add(head(0.5), "sad")
    assert mine.missing is None
    assert load_training_data(mine.settings()).counts.loc[["happy", "sad"]].to_numpy().tolist() == [[1, 1], [1, 1]]
    for number in (1, 1):
        mine.remove("happy", number)
    assert mine.add(head(0.7), "happy").number == 3
    assert (numbers(mine), list_collections()) == ([2, 3], ["mine"])
    mine.clear()
    assert list_collections() == []


def test_what_cannot_be_added_is_explained_and_changes_nothing(home, monkeypatch):
    mine = Collection()
    unreadable = [(content, "happy", ".") for _, content, kind in bad_inputs().values() if kind == "error"]
    nobody, elsewhere = (png(200, 200), "happy", "No face was found"), (head(), "../up", "A class needs a name")
    for content, expression, message in (*unreadable, nobody, elsewhere):
        with pytest.raises(FerError, match=message):
            mine.add(content, expression)
    for name in ("", "..", "a/b", "A", "x" * 61, "con"):
        with pytest.raises(FerError, match="not a valid collection name"):
            Collection(name)
    assert sum(mine.counts().values()) == 0
    monkeypatch.setattr(module, "MAX_SNAPSHOTS", 1)
    mine.add(head(), "happy")
    with pytest.raises(FerError, match="which is the maximum"):
        mine.add(head(), "happy")


def test_a_full_disk_leaves_no_half_snapshot_and_what_cannot_be_deleted_is_said(home, monkeypatch):
    mine = Collection()

    def full(path: Path, _: bytes) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def refused(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(FerError, match=r"cannot be saved \(No space left on device\)"):
            mine.add(head(), "happy")
    assert not [path for path in mine.folder.rglob("*") if path.is_file()]
    assert mine.add(head(), "happy").number == 1
    for function in ("os.unlink", "pathlib.Path.unlink"):
        monkeypatch.setattr(function, refused)
    for delete in (lambda: mine.remove("happy", 1), mine.clear, lambda: mine.clear("happy")):
        with pytest.raises(FerError, match=r"cannot be deleted \(Read-only file system\)"):
            delete()


def test_two_pages_add_at_once_and_damaged_snapshots_are_left_out(home):
    mine = Collection()
    list(in_parallel(lambda _: mine.add(head(), "happy"), range(6), workers=6))
    for number, content in {7: b"", 8: b"text", 9: head()[:400]}.items():
        (mine.folder / "happy" / f"{number:03d}.png").write_bytes(content)
    assert numbers(mine) == [1, 2, 3, 4, 5, 6]
    assert mine.add(head(0.8), "happy").number == 10


def test_uploads_are_kept_once_under_a_harmless_name(home, tmp_path):
    content = make_zip(tmp_path / "mine.zip", [("happy/1.png", png())]).read_bytes()
    paths = set(in_parallel(lambda _: keep_upload("../../My <faces>.zip", content), range(8), workers=4))
    (kept,) = (file for file in home.rglob("*") if file.is_file() and file.suffix != ".lock")
    assert (paths, kept.name, kept.read_bytes()) == ({str(kept)}, "My faces.zip", content)
    with pytest.raises(FerError, match="empty or too large"):
        keep_upload("a.zip", b"")


def test_old_uploads_go_unless_a_run_names_them(home):
    paths = [Path(keep_upload("a.zip", b"%d" % number)) for number in range(3)]
    run = made_run("finished")
    data = replace(run.plan.data, path=str(paths[1]))
    write_json(run.folder / PLAN, {"created": 1.0, **asdict(replace(run.plan, data=data))})
    long_ago = time.time() - (KEPT_DAYS + 1) * 86_400
    for path in paths[:2]:
        os.utime(path.parent, (long_ago, long_ago))
    list_runs()
    assert [path.is_file() for path in paths] == [False, True, True]
