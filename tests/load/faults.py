"""Full and read-only disks, killed processes, two processes at once, cleared caches: `python -m tests.load.faults`, or
`--only "full disk"`.

Each scenario has a fresh data folder. Full disks are small file systems in memory, which only root can mount; without
these rights their rows say so and count as violated. Trainings are of a tiny network on made-up faces. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import psutil

from fer_core.files import home
from fer_core.inference.video_writer import VideoWriter
from fer_core.jobs import ALIVE
from fer_core.labels import EXPRESSIONS
from fer_core.models import ModelSpec
from fer_core.runs import queue
from fer_core.runs.data import DataSettings
from fer_core.runs.run import Run, RunPlan, read_run, runs_folder
from fer_core.runs.uploads import Collection, keep_upload
from fer_core.training.recipe import Recipe
from fer_core.types import FerError
from tests.bad_inputs import good_input
from tests.load.client import Connection, Page
from tests.load.home import fresh_home, show
from tests.runs.conftest import write_faces
from tests.server import serving
from tests.waiting import until

MEGABYTES: Final = 24  # size of the small file system
PATIENCE: Final = 240.0  # seconds for a training
CLEARED: Final = 20

_WRITE_VIDEO: Final = """
import os, signal, sys
from tests.load.faults import begun_video
video = begun_video(sys.argv[1], 200)
os.kill(os.getpid(), signal.SIGKILL)
"""

_UPLOAD_AND_TRAIN: Final = """
import sys
from tests.load.faults import plan, upload
from fer_core.runs import queue
for number in range(40):
    upload(number)
print(queue.submit(plan(sys.argv[1], epochs=2)).id)
"""


def plan(pictures: Path | str, epochs: int = 6) -> RunPlan:
    spec = ModelSpec("tiny", "Tiny", "compact_cnn", widths=(8, 8, 12, 16))
    recipe = Recipe(epochs=epochs, batch_size=4, ema=0.5, mixed_precision=False, augmentation=None)
    return RunPlan("A try", spec, recipe, DataSettings("folder", path=str(pictures), whole_image=True))


def upload(number: int) -> Path:
    return Path(keep_upload(f"{number}.zip", np.random.default_rng(number).bytes(50_000)))


def full_disk_upload(folder: Path) -> str:
    with _small_disk():
        first = upload(0)
        with _full():
            sentence = _refused(lambda: upload(1))
            assert first.read_bytes() == np.random.default_rng(0).bytes(50_000), "the first upload has changed"
        assert upload(1).stat().st_size == 50_000
        assert not [path for path in home().rglob("*") if ".partial" in path.name], "a part is left"
    return sentence


def full_disk_video(folder: Path) -> str:
    with _small_disk():
        path = home() / "annotated.mp4"
        _video(path)
        first = path.read_bytes()
        with _full():
            sentence = _refused(lambda: _video(path))
            assert path.read_bytes() == first, "the finished video has changed"
            assert not list(home().glob(".partial*")), "a part is left"
        _video(path)
    return sentence


def full_disk_training(folder: Path) -> str:
    with _small_disk():
        run, kept = _started(folder, 1, faces=60)
        with _full():
            status = queue.wait(run, PATIENCE)
        assert status.state in ("failed", "interrupted"), f"the run is {status.state}: {run.log()[-300:]}"
        assert status.message, "no sentence"
        return f"{_resumed(run, kept)}. {status.message}"


def full_disk_snapshot(folder: Path) -> str:
    with _small_disk():
        mine = Collection()
        mine.add(good_input(), "happy")
        with _full():
            sentence = _refused(lambda: mine.add(good_input(), "sad"))
        assert mine.counts() == dict.fromkeys(EXPRESSIONS, 0) | {"happy": 1}, "a part is left"
        mine.add(good_input(), "sad")
    return sentence


def read_only_pages(folder: Path) -> str:
    with _read_only():
        for inside in ("", "not yet created"):
            os.environ["FER_HOME"] = str(folder / "home" / inside)
            with serving(folder) as (_, address):
                errors = asyncio.run(_open_all(address))
            assert not errors, errors
    return "every page opens, also where the data folder is still to be created"


def read_only_commands(folder: Path) -> str:
    pictures, sentences = write_faces(folder / "faces", 3), []
    with _read_only():
        for words in ("models", "runs list", f"audit {pictures}", "train compact_cnn --epochs 1", "tune compact_cnn"):
            command = [sys.executable, "-m", "fer_core", *words.split()]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            said = done.stdout + done.stderr
            assert "Traceback" not in said and "Errno" not in said, f"{words}: {said[-300:]}"
            sentences += [said.strip().splitlines()[-1]] if done.returncode else []
    return sentences[0]


def cleared_caches(folder: Path) -> str:
    secrets = folder / "secrets.toml"
    secrets.write_text("[server]\nshared = true\n", "utf-8")
    with serving(folder, f"--secrets.files={secrets}") as (process, address):
        before, after = asyncio.run(_clear(process, address))
    assert after <= before + 2, f"{before} threads, then {after}"
    return f"{before} threads of the server before {CLEARED} times clear_cache, {after} after it"


def killed_training(folder: Path) -> str:
    run, kept = _started(folder, 2, faces=600)
    os.kill(int((run.folder / ALIVE).read_text()), signal.SIGKILL)
    until(lambda: run.status().state == "interrupted")
    return _resumed(run, kept)


def killed_video(folder: Path) -> str:
    path = folder / "videos" / "annotated.mp4"
    path.parent.mkdir()
    killed = subprocess.run([sys.executable, "-c", _WRITE_VIDEO, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL, f"status {killed.returncode}"
    assert not path.exists(), "a half video has the final name"
    (left,) = path.parent.iterdir()
    os.utime(left, (0, 0))
    _video(path)
    assert list(path.parent.iterdir()) == [path], "leftovers remain"
    return "no file under the final name; a leftover, removed by the next video after a day"


def two_processes(folder: Path) -> str:
    pictures = write_faces(folder / "faces", 60)
    command = [sys.executable, "-c", _UPLOAD_AND_TRAIN, str(pictures)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    names = [child.communicate(timeout=PATIENCE)[0].strip() for child in children]
    assert all(child.returncode == 0 for child in children), "a process failed"
    runs = [read_run(runs_folder() / name) for name in names]
    assert len({run.id for run in runs}) == 2, "one run replaced the other"
    most = 0
    limit = time.monotonic() + PATIENCE
    while any(run.status().active for run in runs) and time.monotonic() < limit:
        most = max(most, sum(run.status().running for run in runs))
        time.sleep(0.05)
    for run in runs:
        _finished(run)
    sizes = {path.stat().st_size for path in (home() / "uploads").rglob("*.zip")}
    assert sizes == {50_000}, f"uploads of {sizes} bytes"
    assert most <= 1, "two trainings worked at once"
    return "40 equal uploads whole, two runs finished one after the other"


SCENARIOS: Final[dict[str, Callable[[Path], str]]] = {
    "full disk: upload": full_disk_upload,
    "full disk: video": full_disk_video,
    "full disk: training": full_disk_training,
    "full disk: snapshot": full_disk_snapshot,
    "read-only: pages": read_only_pages,
    "read-only: commands": read_only_commands,
    "clear_cache": cleared_caches,
    "kill -9: training": killed_training,
    "kill -9: video": killed_video,
    "two processes": two_processes,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="the beginning of scenarios' names")
    given = parser.parse_args()
    rows, violations = [], []
    for name, scenario in SCENARIOS.items():
        if not name.startswith(given.only):
            continue
        start = time.monotonic()
        with fresh_home() as folder:
            try:
                found, good = scenario(folder), True
            except Exception as error:  # shown in the table; the other scenarios go on
                found, good = f"{type(error).__name__}: {str(error)[:300]}", False
                violations.append(f"{name}: {found}")
        rows.append([name, "kept" if good else "violated", f"{time.monotonic() - start:.0f} s", found])
    return show("Faults", ["Scenario", "", "Took", "What happened"], rows, violations)


@contextmanager
def _mounted(*commands: str) -> Iterator[None]:
    """Mount something as the data folder, `{home}` in the options of `mount`."""
    place = home()
    first, *more = (["mount", *command.format(home=place).split()] for command in commands)
    subprocess.run(first, check=True)
    try:
        for command in more:
            subprocess.run(command, check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _small_disk() -> AbstractContextManager[None]:
    return _mounted(f"-t tmpfs -o size={MEGABYTES}m tmpfs {{home}}")


def _read_only() -> AbstractContextManager[None]:
    """Make the data folder's file system read-only; even root cannot write to it."""
    return _mounted("--bind {home} {home}", "-o remount,ro,bind {home}")


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


async def _clear(process: psutil.Process, address: str) -> tuple[int, int]:
    """Clear the server's caches again and again; return the number of its threads before and after."""
    async with Page(Connection(address), "home") as page:
        counts = []
        for times in (1, CLEARED):
            for _ in range(times):
                await page.clear_cache()
            await asyncio.sleep(5)  # what works for this page only has ended by then
            counts.append(process.num_threads())
    return counts[0], counts[1]


@contextmanager
def _full() -> Iterator[None]:
    """Fill the data folder's file system to the last byte."""
    filler = home() / "filler"
    with filler.open("wb", buffering=0) as stream:
        try:
            while True:
                if stream.write(bytes(4096)) < 4096:
                    break
        except OSError:
            pass
    try:
        yield
    finally:
        filler.unlink()


def _refused(act: Callable[[], object]) -> str:
    try:
        act()
    except FerError as error:
        return str(error)
    raise AssertionError("no sentence: it worked on a full disk")


def begun_video(path: Path | str, frames: int) -> VideoWriter:
    writer = VideoWriter(path)
    for k in range(frames):
        writer.add(np.random.default_rng(k).integers(0, 256, (180, 320, 3), dtype=np.uint8), k / 10)
    return writer


def _video(path: Path) -> None:
    begun_video(path, 40).close(4.0)


def _finished(run: Run) -> None:
    status = queue.wait(run, PATIENCE)
    assert status.state == "finished", f"the run is {status.state}: {status.message} {run.log()[-300:]}"


def _started(folder: Path, count: int, *, faces: int) -> tuple[Run, pd.DataFrame]:
    """Start a run, wait until it is within the epoch that follows the first `count`; return the history of those."""
    run = queue.submit(plan(write_faces(folder / "faces", faces)))
    until(lambda: run.status().epoch >= count and run.status().step >= 2, PATIENCE)
    return run, run.history()


def _resumed(run: Run, before: pd.DataFrame) -> str:
    """Resume a run; it must get six epochs, and those done before it was cut off must be the same rows."""
    queue.resume(run)
    _finished(run)
    history = run.history()
    assert history["epoch"].tolist() == list(range(6)), f"epochs {history['epoch'].tolist()}"
    assert before.equals(history.head(len(before))), "epochs that were complete have changed"
    return f"resumed; {len(before)} of 6 epochs were complete and are unchanged"


if __name__ == "__main__":
    sys.exit(main())
