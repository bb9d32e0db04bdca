"""Runs that are quick, and nothing left running after a test."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.data import sample_portrait
from fer_core.jobs import ALIVE
from fer_core.models import ModelSpec
from fer_core.runs.data import DataSettings
from fer_core.runs.run import RunPlan
from fer_core.training.recipe import Recipe
from tests.bad_inputs import encoded


@pytest.fixture
def runs(home: Path) -> Iterator[Path]:
    """The folder of all runs; processes that a test leaves behind are killed."""
    (home / "runs").mkdir(parents=True)
    yield home / "runs"
    for file in (home / "runs").glob(f"*/{ALIVE}"):
        if (pid := file.read_text()) and int(pid) != os.getpid():
            with contextlib.suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)


@pytest.fixture
def plan_for(tiny_spec: ModelSpec) -> Callable[..., RunPlan]:
    """`plan_for(pictures, epochs=4)` plans a fit of a tiny network."""

    def make(pictures: Path, title: str = "A try", epochs: int = 4) -> RunPlan:
        recipe = Recipe(epochs=epochs, batch_size=4, ema=0.5, mixed_precision=False, augmentation=None)
        return RunPlan(title, tiny_spec, recipe, DataSettings("folder", path=str(pictures), whole_image=True))

    return make


def head(gain: float = 1.0) -> bytes:
    """The sample portrait's head, darker by a gain, as a PNG file."""
    return encoded(Image.fromarray((sample_portrait()[:260, 90:350] * gain).astype(np.uint8)), "PNG")


def write_faces(root: Path, count: int = 40, names: Sequence[str] = ("happy", "sad")) -> Path:
    """Write `count` pictures of noise of each class, 48 x 48; each of the first two is brighter in another corner."""
    generator = np.random.default_rng(0)
    for place, name in enumerate(names):
        folder = root / name
        folder.mkdir(parents=True)
        for index in range(count):
            picture = generator.integers(0, 120, (48, 48)) + generator.integers(0, 60)
            picture[:24, 24 * place : 24 * place + 24] += 70
            Image.fromarray(picture.astype(np.uint8)).save(folder / f"{index:03d}.png")
    return root
