"""The settings of the augmentation, and copies of faces: the child process draws what the layers draw."""

import subprocess

import numpy as np
import pytest

from fer_core.training.augmentation import AS_THE_PAPER, MIRROR_ONLY, ROBUST, Augmentation, augmented_copies
from fer_core.training.augmentation_layers import augmentation_layers
from fer_core.types import FerError

FACES = np.random.default_rng(0).integers(0, 256, (2, 48, 48)).astype(np.uint8)


def test_strength_scales_everything():
    assert Augmentation.of_strength(1, crop=44) == Augmentation()
    assert Augmentation.of_strength(0) == MIRROR_ONLY
    assert Augmentation.of_strength(0).only_mirrors
    assert not Augmentation.of_strength(0.1).only_mirrors
    assert Augmentation.of_strength(0.5).rotation == Augmentation().rotation / 2
    for wrong in (-0.1, 2.1, float("nan")):
        with pytest.raises(FerError, match="from 0 to 2"):
            Augmentation.of_strength(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"crop": 60}, {"crop": 4}, {"scale": (1.2, 0.8)}, {"scale": (0, 1)}),
        *({"gamma": 0.9}, {"resolution": 0.0}, {"noise": -1.0}, {"degraded": 1.5}, {"cover": -0.1}),
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(FerError, match="Expected"):
        Augmentation(**wrong)


def test_the_child_draws_what_the_layers_draw():
    drawn = augmented_copies(FACES, [ROBUST, AS_THE_PAPER], 3, seed=7)
    for kind, copies in zip((ROBUST, AS_THE_PAPER), drawn, strict=True):
        images = np.stack([FACES[0]] * 3 + [FACES[1]] * 3).astype("float32")[..., None]
        for layer in augmentation_layers(kind, 7):
            images = layer(images, training=True)
        expected = np.asarray(images).clip(0, 255).reshape(2, 3, kind.crop, kind.crop)
        assert copies.dtype == np.uint8
        assert np.abs(copies - expected).max() <= 0.51  # rounding
        assert not (copies[0, 0] == copies[0, 1]).all()


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (subprocess.TimeoutExpired("python", 180), "within 3 minutes"),
        (OSError(12, "Cannot allocate memory"), "could not draw the copies: Cannot allocate memory"),
        (None, r"could not draw the copies: MemoryError"),
    ],
)
def test_failures_are_one_sentence(monkeypatch, failure, sentence):
    def run(*arguments, **settings):
        if failure is not None:
            raise failure
        return subprocess.CompletedProcess(arguments, 1, "", "Traceback\nMemoryError\n")

    monkeypatch.setattr("fer_core.jobs.run_python", run)
    with pytest.raises(FerError, match=sentence):
        augmented_copies(FACES, [ROBUST], 1)
