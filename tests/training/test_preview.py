"""Previews: what the page shows is what training sees, from a process of its own."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fer_core.faces import preprocess_faces
from fer_core.training import preview
from fer_core.training.augmentation import MIRROR_ONLY, Augmentation
from fer_core.training.preview import augmentation_draws, augmentation_sheet, preprocessing_pictures
from fer_core.training.preview_process import PreviewProcess
from fer_core.types import FerError


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """A smooth face-sized slope with an edge, no two rows or columns alike."""
    rows, columns = np.mgrid[:48, :48]
    return (40 + 2 * rows + columns + 30 * (columns > 30)).astype(np.uint8)


@pytest.fixture(scope="module", autouse=True)
def ended():
    yield
    preview._process.end()


def test_mirroring_shows_the_face_and_its_mirror_image_only(face):
    drawn = augmentation_draws(face, MIRROR_ONLY, 24)
    as_is = (drawn == face).all(axis=(1, 2))
    mirrored = (drawn == face[:, ::-1]).all(axis=(1, 2))
    assert (as_is | mirrored).all()
    assert 0 < as_is.sum() < 24


def test_a_crop_is_the_middle_and_brightness_lifts_it_as_a_whole(face):
    brighter = replace(MIRROR_ONLY, crop=40, flip=False, brightness=0.1)
    offsets = augmentation_draws(face, brighter, 30).astype(int) - face[4:44, 4:44]
    assert (np.ptp(offsets, axis=(1, 2)) <= 1).all()  # one level by rounding
    lifted = offsets.mean(axis=(1, 2))
    assert np.abs(lifted).max() <= 0.1 * 255 + 1
    assert lifted.min() < -5 < 5 < lifted.max()


def test_the_same_seed_gives_the_same_variations(face):
    first, again, other = (augmentation_draws(face, Augmentation(), 8, seed) for seed in (1, 1, 2))
    assert first.shape == (8, 44, 44)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert len(np.unique(first.reshape(8, -1), axis=0)) == 8


def test_a_sheet_is_a_picture_of_all_variations(face):
    sheet = np.asarray(Image.open(io.BytesIO(augmentation_sheet(face, MIRROR_ONLY, 6, enlarged=2))))
    assert sheet.shape == (2 * 96 + 4, 3 * 96 + 2 * 4, 2)
    drawn = augmentation_draws(face, MIRROR_ONLY, 6)
    np.testing.assert_array_equal(sheet[100::2, 0:96:2, 0], drawn[3])
    assert sheet[98, 0, 1] == 0


def test_a_dead_process_is_started_again(monkeypatch):
    monkeypatch.setattr("fer_core.training.preview_process.WORKER", "tests.training.echo")
    process = PreviewProcess()
    process.ask({})
    process._worker.kill()
    assert process.ask({"say": "again"}) == {"say": "again"}
    process.end()


def test_the_process_ends_when_nobody_asks(monkeypatch):
    monkeypatch.setattr("fer_core.training.preview_process.WORKER", "tests.training.echo")
    process = PreviewProcess(idle=0.3)
    assert process.ask({"say": "this"}) == {"say": "this"}
    worker = process._worker
    worker.wait(10)
    assert not process.ready
    assert process.ask({"say": "again"}) == {"say": "again"}
    process.end()


def test_a_process_that_cannot_work_is_explained(monkeypatch, face):
    monkeypatch.setattr("fer_core.training.preview_process.WORKER", "not_a_module")
    with pytest.raises(FerError, match="its process ended"):
        PreviewProcess().ask({})


def test_preprocessings_are_those_of_the_models(face):
    shown = preview.preprocessing_preview(face)
    assert list(shown) == ["none", "face", "equalize", "clahe", "noise"]
    np.testing.assert_array_equal(shown["none"], face)
    for name in ("equalize", "clahe"):
        np.testing.assert_array_equal(shown[name], preprocess_faces(face[None], name)[0])
        assert (shown[name] != face).any()
    noise = shown["noise"].astype(float) - face
    assert noise.std() == pytest.approx(0.05 * 255, rel=0.1)
    pictures = preprocessing_pictures(face, enlarged=2)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(pictures["clahe"])))[::2, ::2], shown["clahe"])


@pytest.mark.parametrize(
    ("wrong", "draws"), [(np.zeros((44, 44), np.uint8), 4), (np.zeros((48, 48)), 4), (np.zeros((48, 48), np.uint8), 0)]
)
def test_wrong_requests_are_explained(wrong, draws):
    with pytest.raises(FerError, match="Received"):
        augmentation_draws(wrong, Augmentation(), draws)


def test_importing_previews_imports_no_keras():
    code = "import sys, fer_core.training.preview; sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
