"""Read thousands of damaged files as the pages and commands do: `python -m tests.load.mutations --count 2000 --seed 0`.

Each file must give a result or one sentence of a `FerError`, within 5 seconds of processor time and 700 MB, and leave
no file behind. Files are read in child processes, so that a crash or a file that takes forever is found and named.
Linux only: the peak memory of each file comes from `/proc`.
"""

import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import numpy as np
import typer

from fer_core.types import FerError
from tests.load import models, pictures, zips
from tests.load.damage import ANY, WAYS
from tests.load.home import MEGABYTE, Input, fresh_home, show

SECONDS: Final = 5.0  # of processor time, of all threads: time by the clock depends on what else the machine does
BYTES: Final = 700_000_000  # peak above what the process holds with its libraries: 250 MB, or 950 MB with TensorFlow
PATIENCE: Final = 60.0  # seconds after which a child that reads one file is killed
ADDRESS_SPACE: Final = 12 << 30  # bytes that a child may map, so that a mistake does not take the machine's memory


class Kind(NamedTuple):
    """One kind of input."""

    share: float  # of all inputs
    good: Callable[[], dict[str, bytes]]  # undamaged files by name
    read: Callable[[Input, Path], list[str]]  # as pages and commands do; returns complaints, or raises a `FerError`
    together: int = 1000  # how many a process reads; Keras keeps memory of each network


KINDS: Final[dict[str, Kind]] = {
    "picture": Kind(0.37, pictures.pictures, pictures.read_picture),
    "video": Kind(0.17, pictures.videos, pictures.read_video),
    "zip": Kind(0.15, zips.zips, zips.read_zip),
    "table": Kind(0.16, zips.tables, zips.read_table),
    "model": Kind(0.10, models.models, models.read_model),
    "keras": Kind(0.05, models.keras, models.read_keras, together=10),
}


class Result(NamedTuple):
    """What one file gave."""

    number: int
    what: str
    outcome: str  # "result", "sentence", or what went wrong
    seconds: float = 0.0
    bytes: int = 0
    left: tuple[str, ...] = ()

    def problems(self) -> list[str]:
        problems = [self.outcome] if self.outcome not in ("result", "sentence") else []
        problems += [f"{self.seconds:.1f} seconds"] if self.seconds > SECONDS else []
        problems += [f"{self.bytes / MEGABYTE:.0f} MB"] if self.bytes > BYTES else []
        return problems + [f"left {path}" for path in self.left]


def make(kind: str, seed: int, number: int) -> Input:
    """Return input `number` of a kind; the same for the same seed."""
    random = np.random.default_rng([seed, sorted(KINDS).index(kind), number])
    good = KINDS[kind].good()
    name = str(random.choice(sorted(good)))
    ways = [*ANY, *WAYS.get(Path(name).suffix, ())]
    way = ways[random.integers(len(ways))]
    return Input(f"{name} {way.__name__}", name, way(good[name], random))


def main(
    count: int = 2000,
    seed: int = 0,
    only: Annotated[str, typer.Option(help="KIND or KIND:NUMBER, which shows the file's traceback.")] = "",
) -> None:
    """Read damaged files; exit status 1 if a limit is violated."""
    kind, _, chosen = only.partition(":")
    rows, violations = [], []
    with fresh_home() as folder:
        for name in [kind] if kind else KINDS:
            numbers = [int(chosen)] if chosen else range(round(count * KINDS[name].share))
            results = list(_results(name, seed, numbers=numbers, folder=folder))
            for result in results:
                again = f"{result.what}  --seed {seed} --only {name}:{result.number}"
                violations += [f"{again}: {problem}" for problem in result.problems()]
            sentences = sum(result.outcome == "sentence" for result in results)
            slowest = max((result.seconds for result in results), default=0)
            largest = max((result.bytes for result in results), default=0) / MEGABYTE
            rows.append([name, str(len(results)), str(sentences), f"{slowest:.1f} s", f"{largest:.0f} MB"])
    columns = ["Kind", "Files", "Sentences", "Slowest", "Peak memory"]
    raise typer.Exit(show(f"Damaged files, seed {seed}", columns, rows, violations))


def _results(kind: str, seed: int, *, numbers: Iterable[int], folder: Path) -> Iterator[Result]:
    """Yield what each number gave; after a crash or a file that takes too long, go on in another child."""
    log, pool = folder / "log.txt", None
    for number in numbers:
        pool = pool or ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn"), _start, (kind, log), max_tasks_per_child=KINDS[kind].together
        )
        try:
            yield pool.submit(_read, kind, seed, number=number).result(PATIENCE)
        except (TimeoutError, BrokenProcessPool) as error:
            for child in multiprocessing.active_children():
                child.kill()
            pool.shutdown()
            pool = None
            crash = f"crash {log.read_text(errors='replace').strip().splitlines()[-1:]}"
            late = f"no answer within {PATIENCE:.0f} seconds"
            yield Result(number, make(kind, seed, number).what, late if isinstance(error, TimeoutError) else crash)
            for part in ("tmp", "home"):
                shutil.rmtree(folder / part)
                (folder / part).mkdir()
    if pool:
        pool.shutdown()
        if isinstance(numbers, list):  # one that was asked for
            sys.stderr.write(log.read_text(errors="replace"))


_libraries = 0  # bytes that this child holds before it reads damaged files


def _start(kind: str, log: Path) -> None:
    """Prepare a child; what libraries print goes into the log."""
    global _libraries  # noqa: PLW0603 (a child measures it once)
    with log.open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    warnings.simplefilter("ignore")
    name, content = next(iter(KINDS[kind].good().items()))
    with tempfile.TemporaryDirectory() as folder:  # so that imports and caches do not count for the first damaged file
        KINDS[kind].read(Input("good", name, content), Path(folder))
    _libraries = _memory("VmRSS")


def _read(kind: str, seed: int, *, number: int) -> Result:
    """Read one file in this child."""
    given, home, tmp = make(kind, seed, number), Path(os.environ["FER_HOME"]), Path(os.environ["TMPDIR"])
    work = tmp.parent / "work"

    def files() -> set[Path]:
        return {path for folder in (home, tmp) for path in folder.rglob("*") if path.is_file()}

    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    before = files()
    Path("/proc/self/clear_refs").write_text("5")  # the peak memory counts from here
    start = time.process_time()
    try:
        sentences = KINDS[kind].read(given, work)
    except FerError as error:
        sentences = [str(error)]
    except BaseException:  # what must not happen; it is no sentence
        sentences = [traceback.format_exc()]
    seconds, peak = time.process_time() - start, _memory("VmHWM") - _libraries
    print(*(sentences or ["a result"]), sep="\n", file=sys.stderr, flush=True)
    odd = [text.strip().splitlines()[-1][:200] for text in sentences if "\n" in text or not 20 < len(text) < 700]
    new = files() - before
    left = {path for path in new if sentences or not path.is_relative_to(home / "cache")}  # results may stay
    if sentences:
        left |= {path for path in work.iterdir() if path.suffix != Path(given.name).suffix}
    names = sorted(str(path.relative_to(tmp.parent)) for path in left if path.suffix != ".lock")
    for path in new:
        path.unlink(missing_ok=True)
    outcome = f"no sentence: {odd[0]!r}" if odd else "sentence" if sentences else "result"
    return Result(number, given.what, outcome, seconds, peak, tuple(names[:3]))


def _memory(field: str) -> int:
    """Return a field of this process's status in bytes, for example `VmHWM`, its peak memory."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


if __name__ == "__main__":  # not in the processes that are spawned
    typer.run(main)
