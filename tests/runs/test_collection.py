"""Own snapshots, expression by expression."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
from PIL import Image

from fer_core.data import sample_portrait
from fer_core.faces import crop_face, default_detector
from fer_core.runs import collection as module
from fer_core.runs.choice import load_training_data
from fer_core.runs.collection import Collection, Snapshot, list_collections
from fer_core.types import FerError
from tests.bad_inputs import bad_inputs
from tests.data.conftest import png


def picture(gain: float = 1.0) -> bytes:
    stream = io.BytesIO()
    Image.fromarray((sample_portrait()[:260, 90:350] * gain).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def test_collect_look_and_remove(home):
    assert list_collections() == []
    mine = Collection("mine")
    assert sum(mine.counts().values()) == 0
    assert not home.joinpath("uploads").exists()
    first = mine.add(picture(), "happy")
    image = np.asarray(Image.open(io.BytesIO(picture())))
    expected, _ = crop_face(image, default_detector().detect(image)[0])
    assert (np.asarray(Image.open(io.BytesIO(first.png))) == expected).all()
    mine.add(picture(0.8), "happy")
    mine.add(picture(0.6), "Sadness")
    assert {name: count for name, count in mine.counts().items() if count} == {"happy": 2, "sad": 1}
    assert [one.number for one in mine.snapshots("happy")] == [1, 2]
    assert mine.snapshots("happy")[0] == Snapshot("happy", 1, first.png)
    assert mine.ready == "Take at least 2 snapshots of sad, or remove what it has."
    mine.remove("happy", 1)
    mine.remove("happy", 1)
    assert mine.add(picture(0.7), "happy").number == 3
    mine.remove_last("happy")
    assert [one.number for one in mine.snapshots("happy")] == [2]
    assert list_collections() == ["mine"]
    mine.clear()
    assert list_collections() == []


def test_what_cannot_be_added_is_said_and_changes_nothing(home, monkeypatch):
    mine = Collection()
    with pytest.raises(FerError, match="No face was found"):
        mine.add(png(200, 200), "happy")
    for _, content, kind in bad_inputs().values():
        if kind == "error":
            with pytest.raises(FerError):
                mine.add(content, "happy")
    with pytest.raises(FerError, match="Unknown expression"):
        mine.add(picture(), "../../elsewhere")
    for name in ("", "..", "a/b", "A", "x" * 61, "con"):
        with pytest.raises(FerError, match="A collection cannot be called so"):
            Collection(name)
    assert sum(mine.counts().values()) == 0
    monkeypatch.setattr(module, "MOST", 1)
    mine.add(picture(), "happy")
    with pytest.raises(FerError, match="which is all that a collection keeps"):
        mine.add(picture(), "happy")


def test_it_is_what_a_run_learns_from(home):
    mine = Collection()
    assert mine.warnings() == []
    assert mine.ready == "Collect snapshots of at least two expressions to tell apart."
    for gain in (1.0, 0.9, 0.8):
        for expression, share in (("happy", 1.0), ("sad", 0.65)):
            mine.add(picture(gain * share), expression)
    assert mine.ready is None
    chosen = load_training_data(mine.choice())
    assert chosen.counts.loc[["happy", "sad"]].to_numpy().tolist() == [[2, 1], [2, 1]]
    kept = {np.asarray(Image.open(io.BytesIO(one.png))).tobytes() for one in mine.snapshots("happy")}
    faces = [*chosen.data.training.images, *chosen.data.holdout.images]
    assert kept <= {face.tobytes() for face in faces}
    assert any("happy (3) and sad (3)" in text for text in mine.warnings())


def test_two_pages_add_at_once(home):
    mine = Collection()
    threads = [threading.Thread(target=mine.add, args=(picture(), "happy")) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.number for one in mine.snapshots("happy")] == [1, 2, 3, 4, 5, 6]
