"""`faces`: the detectors compared, and the training of the network that checks windows."""

from __future__ import annotations

import numpy as np
from PIL import Image
from skimage import data

from fer_core.benchmarks.detectors import compare_detectors
from fer_core.types import Face
from tests.made_up_store import write_fer2013

FRONT = np.array([[30, 40], [60, 40], [45, 55], [35, 70], [55, 70]], np.float32)
PROFILE = np.array([[30, 40], [35, 40], [20, 55], [25, 70], [28, 70]], np.float32)


class Found:
    note = None

    def __init__(self, *faces):
        self.faces = list(faces)

    def detect(self, image, thorough=True):
        return self.faces


def test_missed_and_false_faces_are_counted():
    due, unsure = Face((20, 20, 50, 60), 0.9, FRONT), Face((200, 20, 50, 60), 0.65, FRONT + np.float32([180, 0]))
    profile, missed = (
        Face((300, 20, 50, 60), 0.9, PROFILE + np.float32([280, 0])),
        Face((20, 200, 50, 60), 0.9, FRONT + np.float32([0, 180])),
    )
    found = Found(Face((24, 22, 50, 60), 0.8, None), Face((202, 20, 50, 60), 0.8, None), Face((400, 400, 50, 60), 0.8))
    image = np.zeros((500, 500, 3), np.uint8)
    counts = compare_detectors([image, image], Found(due, unsure, profile, missed), found)
    assert {name: counts[name] for name in ("photos", "faces", "missed", "false")} == {
        "photos": 2, "faces": 4, "missed": 2, "false": 2
    }  # fmt: skip


def test_too_few_pictures_to_train_with_get_a_sentence(fer, home, tmp_path, monkeypatch):
    write_fer2013(home / "fer2013", monkeypatch)
    Image.fromarray(data.coffee()).save(tmp_path / "coffee.png")
    result = fer("faces", "train", tmp_path)
    assert result.exit_code == 1
    assert "Received: 1 pictures, which make 1 scenes" in result.stderr
