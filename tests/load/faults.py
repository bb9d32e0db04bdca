"""Full and read-only disks: `python -m tests.load.faults`, or `--only "full disk"`.

Each scenario has a fresh data folder. Full disks are small file systems in memory, which only root can mount; without
these rights their rows say so and count as violated. Trainings are of a tiny network on made-up faces. Linux only.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from fer_core.files import home
from fer_core.inference.video_writer import VideoWriter
from fer_core.models import ModelSpec
from fer_core.runs import queue
from fer_core.runs.data import DataSettings
from fer_core.runs.run import RunPlan
from fer_core.runs.uploads import Collection, keep_upload
from fer_core.training.recipe import Recipe
from fer_core.types import FerError
from tests.bad_inputs import good_input
from tests.load.client import Connection, Page
from tests.load.home import fresh_home, show
from tests.runs.conftest import write_faces
from tests.server import serving
from tests.waiting import PATIENCE, until

SMALL_DISK: Final = ("-t tmpfs -o size=24m tmpfs {home}",)
READ_ONLY: Final = ("--bind {home} {home}", "-o remount,ro,bind {home}")  # even root cannot write to it


def video(_: int) -> None:
    writer = VideoWriter(home() / "annotated.mp4")
    for k in range(40):
        writer.add(np.random.default_rng(k).integers(0, 256, (180, 320, 3), dtype=np.uint8), k / 10)
    writer.close(4.0)


def full_disk_file(write: Callable[[int], object], _: Path) -> str:
    """What does not fit is refused in a sentence and leaves no part; what was there stays; later there is room."""

    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in home().rglob("*") if path.is_file() and path.suffix != ".lock"}

    with _mounted(*SMALL_DISK):
        write(0)
        before = files()
        with _full() as filler:
            try:
                write(1)
                sentence = ""
            except FerError as error:
                sentence = str(error)
            assert sentence, "no sentence: it worked on a full disk"
            assert {path: content for path, content in files().items() if path != filler} == before, list(files())
        write(1)
    return sentence


def full_disk_training(folder: Path) -> str:
    """The run fails with a sentence; resumed, it has its epochs, and those done before are the same rows."""
    spec = ModelSpec("tiny", "Tiny", "compact_cnn", widths=(8, 8, 12, 16))
    recipe = Recipe(epochs=6, batch_size=4, ema=0.5, mixed_precision=False, augmentation=None)
    pictures = DataSettings("folder", path=str(write_faces(folder / "faces", 60)), whole_image=True)
    with _mounted(*SMALL_DISK):
        run = queue.submit(RunPlan("A try", spec, recipe, pictures))
        until(lambda: run.status().epoch >= 1 and run.status().step >= 2)
        kept = run.history()
        with _full():
            status = queue.wait(run, PATIENCE)
        assert status.state in ("failed", "interrupted"), f"the run is {status.state}: {run.log()[-300:]}"
        assert status.message, "no sentence"
        queue.resume(run)
        assert queue.wait(run, PATIENCE).state == "finished", run.log()[-300:]
        history = run.history()
    assert history["epoch"].tolist() == list(range(6)), f"epochs {history['epoch'].tolist()}"
    assert kept.equals(history.head(len(kept))), "epochs that were complete have changed"
    return f"resumed; {len(kept)} of 6 epochs were complete and are unchanged. {status.message}"


def read_only_pages(folder: Path) -> str:
    with _mounted(*READ_ONLY):
        for inside in ("", "not yet created"):
            os.environ["FER_HOME"] = str(folder / "home" / inside)
            with serving(folder) as (_, address):
                errors = asyncio.run(_open_all(address))
            assert not errors, errors
    return "every page opens, also where the data folder is still to be created"


def read_only_commands(folder: Path) -> str:
    pictures, sentences = write_faces(folder / "faces", 3), []
    with _mounted(*READ_ONLY):
        for words in ("models", "runs list", f"audit {pictures}", "train compact_cnn --epochs 1", "tune compact_cnn"):
            command = [sys.executable, "-m", "fer_core", *words.split()]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            said = done.stdout + done.stderr
            assert "Traceback" not in said and "Errno" not in said, f"{words}: {said[-300:]}"
            sentences += [said.strip().splitlines()[-1]] if done.returncode else []
    return sentences[0]


SCENARIOS: Final[dict[str, Callable[[Path], str]]] = {
    "full disk: upload": partial(full_disk_file, lambda number: keep_upload("a.zip", bytes([number]) * 50_000)),
    "full disk: video": partial(full_disk_file, video),
    "full disk: snapshot": partial(full_disk_file, lambda _: Collection().add(good_input(), "happy")),
    "full disk: training": full_disk_training,
    "read-only: pages": read_only_pages,
    "read-only: commands": read_only_commands,
}


def main(only: Annotated[str, typer.Option(help="The beginning of scenarios' names.")] = "") -> None:
    """Run the scenarios; exit status 1 if one is violated."""
    rows, violations = [], []
    for name, scenario in SCENARIOS.items():
        if not name.startswith(only):
            continue
        with fresh_home() as folder:
            try:
                result, good = scenario(folder), True
            except Exception as error:  # shown in the table; the other scenarios go on
                result, good = f"{type(error).__name__}: {str(error)[:300]}", False
                violations.append(f"{name}: {result}")
        rows.append([name, "kept" if good else "violated", result])
    raise typer.Exit(show("Faults", ["Scenario", "", "What happened"], rows, violations))


@contextmanager
def _mounted(*commands: str) -> Iterator[None]:
    """Mount something as the data folder, `{home}` in the options of `mount`."""
    folder = str(home())
    first, *more = (["mount", *command.format(home=folder).split()] for command in commands)
    subprocess.run(first, check=True)
    try:
        for command in more:
            subprocess.run(command, check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def _full() -> Iterator[Path]:
    """Fill the data folder's file system to the last byte; yield the file that does."""
    filler = home() / "filler"
    with filler.open("wb", buffering=0) as stream, suppress(OSError):
        while stream.write(bytes(4096)) == 4096:
            pass
    yield filler
    filler.unlink()


async def _open_all(address: str) -> list[str]:
    """Open every page, and every tab of Fine-tune; return the exceptions on them."""
    from pages import PAGES  # Streamlit warns of it

    queries = [(name, "") for name, *_ in PAGES]
    queries += [("finetune", query) for query in ("f_tab=Runs", "f_tab=Tuning", "f_source=Own+snapshots")]
    errors = []
    for name, query in queries:
        async with Page(Connection(address), name, query) as page:
            errors += [f"{name}?{query}: {message}" for message in page.exceptions()]
    return errors


if __name__ == "__main__":
    typer.run(main)
