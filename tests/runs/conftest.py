"""Runs that are quick, and nothing left running after a test."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.files import write_json
from fer_core.jobs import ALIVE, claim
from fer_core.models import ModelSpec
from fer_core.runs.data import DataSettings
from fer_core.runs.run import PLAN, Run, RunPlan, read_run
from fer_core.runs.status import Status, write_status
from fer_core.training.recipe import Recipe


@pytest.fixture
def runs(home: Path) -> Iterator[Path]:
    """The folder of all runs; processes that a test leaves behind are killed."""
    yield home / "runs"
    for file in (home / "runs").glob(f"*/{ALIVE}"):
        if (pid := file.read_text()) and int(pid) != os.getpid():
            with contextlib.suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)


@pytest.fixture
def plan_for(tiny_spec: ModelSpec) -> Callable[..., RunPlan]:
    """`plan_for(pictures, epochs=4)` plans a fit of a tiny network."""

    def make(pictures: Path, title: str = "A try", epochs: int = 4, **choice: object) -> RunPlan:
        recipe = Recipe(epochs=epochs, batch_size=4, ema=0.5, mixed_precision=False, augmentation=None)
        return RunPlan(title, tiny_spec, recipe, DataSettings("folder", path=str(pictures), whole_image=True, **choice))

    return make


@pytest.fixture
def made_run(runs: Path, plan_for: Callable[..., RunPlan]) -> Callable[..., Run]:
    """`made_run("fitting", epoch=3)` makes a run's folder, without a process; for a minute it counts as alive."""

    def make(state: str = "finished", title: str = "A try", **values: object) -> Run:
        folder = runs / f"run-{len(list(runs.glob('*'))) + 1}"
        folder.mkdir(parents=True)
        write_json(folder / PLAN, {"created": time.time(), **plan_for(Path("pictures"), title).as_dict()})
        status = Status(state, "As made.", **values)
        write_status(folder, status)
        if status.active:
            claim(folder)
        return read_run(folder)

    return make


def write_faces(root: Path, count: int = 40, names: tuple[str, ...] = ("happy", "sad"), seed: int = 0) -> Path:
    """Write `count` pictures of noise a class, 48 x 48; each class is brighter in another corner."""
    generator = np.random.default_rng(seed)
    for place, name in enumerate(names):
        folder = root / name
        folder.mkdir(parents=True)
        for index in range(count):
            picture = generator.integers(0, 120, (48, 48)) + generator.integers(0, 60)
            picture[:24, 24 * place : 24 * place + 24] += 70
            Image.fromarray(picture.astype(np.uint8)).save(folder / f"{index:03d}.png")
    return root
