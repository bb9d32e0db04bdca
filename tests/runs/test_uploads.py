"""Snapshots, expression by expression, and uploaded zips."""

from __future__ import annotations

import errno
import io
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.faces import crop_face, default_detector
from fer_core.runs import uploads as module
from fer_core.runs.data import load_training_data
from fer_core.runs.run import PLAN
from fer_core.runs.uploads import KEPT_DAYS, Collection, Snapshot, keep_upload, list_collections
from fer_core.threads import in_parallel
from fer_core.types import FerError
from tests.bad_inputs import bad_inputs
from tests.data.conftest import make_zip, png
from tests.runs.conftest import head


def test_collect_look_and_remove(home):
    assert list_collections() == []
    mine = Collection("mine")
    assert sum(mine.counts().values()) == 0
    assert not home.joinpath("uploads").exists()
    first = mine.add(head(), "happy")
    image = np.asarray(Image.open(io.BytesIO(head())))
    expected, _ = crop_face(image, default_detector().detect(image)[0])
    assert (np.asarray(Image.open(io.BytesIO(first.png))) == expected).all()
    mine.add(head(0.8), "happy")
    mine.add(head(0.6), "Sadness")
    assert {name: count for name, count in mine.counts().items() if count} == {"happy": 2, "sad": 1}
    assert [snapshot.number for snapshot in mine.snapshots("happy")] == [1, 2]
    assert mine.snapshots("happy")[0] == Snapshot(1, first.png)
    assert mine.missing == "Take at least 2 snapshots of sad, or remove what it has."
    mine.remove("happy", 1)
    mine.remove("happy", 1)
    assert mine.add(head(0.7), "happy").number == 3
    mine.remove_last("happy")
    assert [snapshot.number for snapshot in mine.snapshots("happy")] == [2]
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


def test_it_is_what_a_run_learns_from(home):
    mine = Collection()
    assert mine.missing == "Collect snapshots of at least two expressions to tell apart."
    for gain in (1.0, 0.9, 0.8):
        for expression, share in (("happy", 1.0), ("sad", 0.65)):
            mine.add(head(gain * share), expression)
    assert mine.missing is None
    chosen = load_training_data(mine.settings())
    assert chosen.counts.loc[["happy", "sad"]].to_numpy().tolist() == [[2, 1], [2, 1]]
    kept = {np.asarray(Image.open(io.BytesIO(snapshot.png))).tobytes() for snapshot in mine.snapshots("happy")}
    faces = [*chosen.data.training.images, *chosen.data.holdout.images]
    assert kept <= {face.tobytes() for face in faces}
    assert any("happy (3) and sad (3)" in text for text in chosen.warnings)


def test_a_full_disk_leaves_no_half_snapshot(home, monkeypatch):
    mine = Collection()

    def full(path: Path, content: bytes) -> None:
        path.open("wb").close()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(FerError, match=r"cannot be saved \(No space left on device\)"):
            mine.add(head(), "happy")
    assert not [path for path in mine.folder.rglob("*") if path.is_file()]
    assert mine.add(head(), "happy").number == 1


@pytest.mark.parametrize("content", [b"", b"text", head()[:400]])
def test_a_damaged_snapshot_is_left_out(home, content):
    mine = Collection()
    mine.add(head(), "happy")
    (mine.folder / "happy" / "002.png").write_bytes(content)
    assert [snapshot.number for snapshot in mine.snapshots("happy")] == [1]
    assert mine.add(head(0.8), "happy").number == 3


def test_what_cannot_be_deleted_is_said(home, monkeypatch):
    mine = Collection()
    mine.add(head(), "happy")

    def refused(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for function in ("os.unlink", "pathlib.Path.unlink"):
        monkeypatch.setattr(function, refused)
    for delete in (lambda: mine.remove("happy", 1), mine.clear, lambda: mine.clear("happy")):
        with pytest.raises(FerError, match=r"cannot be deleted \(Read-only file system\)"):
            delete()


def test_two_pages_add_at_once(home):
    mine = Collection()
    list(in_parallel(lambda _: mine.add(head(), "happy"), range(6), workers=6))
    assert [snapshot.number for snapshot in mine.snapshots("happy")] == [1, 2, 3, 4, 5, 6]


def test_uploads_are_kept_once_under_a_harmless_name(home, tmp_path):
    content = make_zip(tmp_path / "mine.zip", [("happy/1.png", png())]).read_bytes()
    path = keep_upload("../../My <faces>.zip", content)
    assert keep_upload("../../My <faces>.zip", content) == path
    kept = [file for file in home.rglob("*") if file.is_file()]
    assert [file.name for file in kept] == ["My faces.zip"]
    assert kept[0].read_bytes() == content
    with pytest.raises(FerError, match="empty or too large"):
        keep_upload("a.zip", b"")


def test_old_uploads_go_unless_a_run_names_them(home, tmp_path, made_run):
    paths = []
    for number in range(3):
        content = make_zip(tmp_path / "mine.zip", [(f"happy/{number}.png", png())]).read_bytes()
        path = Path(keep_upload("a.zip", content))
        (home / "uploads" / path.parent.name).mkdir()  # as if unpacked
        paths.append(path)
    old, used, _ = paths
    plan = made_run().folder / PLAN
    values = json.loads(plan.read_text())
    plan.write_text(json.dumps({**values, "data": {**values["data"], "path": str(used)}}))
    long_ago = time.time() - (KEPT_DAYS + 1) * 86_400
    for path in (old, used):
        os.utime(path.parent, (long_ago, long_ago))
    keep_upload("b.zip", make_zip(tmp_path / "mine.zip", [("sad/1.png", png())]).read_bytes())
    assert [path.is_file() for path in paths] == [False, True, True]
    assert [(home / "uploads" / path.parent.name).is_dir() for path in paths] == [False, True, True]
