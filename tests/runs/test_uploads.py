"""Snapshots, expression by expression, and uploaded zips."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from fer_core.data import read_image
from fer_core.faces import crop_face, default_detector
from fer_core.files import write_json
from fer_core.runs import uploads as module
from fer_core.runs.data import load_training_data
from fer_core.runs.run import PLAN
from fer_core.runs.uploads import KEPT_DAYS, Collection, Snapshot, keep_upload, list_collections
from fer_core.threads import in_parallel
from fer_core.types import FerError
from tests.bad_inputs import bad_inputs
from tests.data.conftest import make_zip, png
from tests.runs.conftest import head


def numbers(collection: Collection, expression: str = "happy") -> list[int]:
    return [snapshot.number for snapshot in collection.snapshots(expression)]


def test_collect_look_and_remove(home):
    assert list_collections() == []
    mine = Collection("mine")
    assert sum(mine.counts().values()) == 0
    assert mine.missing == "Collect snapshots of at least two expressions to tell apart."
    assert not home.joinpath("uploads").exists()
    first = mine.add(head(), "happy")
    image = read_image(head())
    expected, _ = crop_face(image, default_detector().detect(image)[0])
    assert (read_image(first.png)[:, :, 0] == expected).all()
    mine.add(head(0.8), "happy")
    mine.add(head(0.6), "Sadness")
    assert {name: count for name, count in mine.counts().items() if count} == {"happy": 2, "sad": 1}
    assert numbers(mine) == [1, 2]
    assert mine.snapshots("happy")[0] == Snapshot(1, first.png)
    assert mine.missing == "Take at least 2 snapshots of sad, or remove what it has."
    mine.add(head(0.5), "sad")
    assert mine.missing is None
    assert load_training_data(mine.settings()).counts.loc[["happy", "sad"]].to_numpy().tolist() == [[1, 1], [1, 1]]
    mine.remove("happy", 1)
    mine.remove("happy", 1)
    assert mine.add(head(0.7), "happy").number == 3
    mine.remove_last("happy")
    assert numbers(mine) == [2]
    assert list_collections() == ["mine"]
    mine.clear()
    assert list_collections() == []


def test_what_cannot_be_added_is_explained_and_changes_nothing(home, monkeypatch):
    mine = Collection()
    with pytest.raises(FerError, match="No face was found"):
        mine.add(png(200, 200), "happy")
    for _, content, kind in bad_inputs().values():
        if kind == "error":
            with pytest.raises(FerError):
                mine.add(content, "happy")
    with pytest.raises(FerError, match="Unknown expression"):
        mine.add(head(), "../../elsewhere")
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

    def full(path: Path, content: bytes) -> None:
        path.open("wb").close()
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
    assert numbers(mine) == [1, 2, 3, 4, 5, 6]
    for number, content in {7: b"", 8: b"text", 9: head()[:400]}.items():
        (mine.folder / "happy" / f"{number:03d}.png").write_bytes(content)
    assert numbers(mine) == [1, 2, 3, 4, 5, 6]
    assert mine.add(head(0.8), "happy").number == 10


def test_uploads_are_kept_once_under_a_harmless_name(home, tmp_path):
    content = make_zip(tmp_path / "mine.zip", [("happy/1.png", png())]).read_bytes()
    path = keep_upload("../../My <faces>.zip", content)
    assert keep_upload("../../My <faces>.zip", content) == path
    (kept,) = (file for file in home.rglob("*") if file.is_file())
    assert (kept.name, kept.read_bytes()) == ("My faces.zip", content)
    with pytest.raises(FerError, match="empty or too large"):
        keep_upload("a.zip", b"")


def test_old_uploads_go_unless_a_run_names_them(home, made_run):
    paths = [Path(keep_upload("a.zip", b"%d" % number)) for number in range(3)]
    unpacked = [home / "uploads" / path.parent.name for path in paths]
    for folder in unpacked:
        folder.mkdir()
    run = made_run()
    data = replace(run.plan.data, path=str(paths[1]))
    write_json(run.folder / PLAN, {"created": 1.0, **asdict(replace(run.plan, data=data))})
    long_ago = time.time() - (KEPT_DAYS + 1) * 86_400
    for path in paths[:2]:
        os.utime(path.parent, (long_ago, long_ago))
    keep_upload("b.zip", b"another")
    assert [path.is_file() for path in paths] == [False, True, True]
    assert [folder.is_dir() for folder in unpacked] == [False, True, True]
