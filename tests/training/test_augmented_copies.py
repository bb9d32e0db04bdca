"""Augmented copies: the child process draws what the layers draw, and failures are one sentence."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from fer_core.training.augmentation import AS_THE_PAPER, ROBUST
from fer_core.training.augmentation_layers import augmentation_layers
from fer_core.training.augmented_copies import augmented_copies
from fer_core.types import FerError

FACES = np.random.default_rng(0).integers(0, 256, (2, 48, 48)).astype(np.uint8)


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


def test_importing_it_imports_no_keras():
    program = (
        "import fer_core.training.augmented_copies, sys; assert not {'keras', 'tensorflow', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
