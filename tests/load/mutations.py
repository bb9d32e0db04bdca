"""Read thousands of damaged files as the pages and commands do: `python -m tests.load.mutations --count 2000 --seed 0`.

Each file must give a result or one sentence of a `FerError`, within 5 seconds of processor time and 700 MB, and leave
no file behind. Files are read in child processes, so that a crash or a file that takes forever is found and named.
Linux only: the peak memory of each file comes from `/proc`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from fer_core.types import FerError
from tests.load import models, pictures, zips
from tests.load.damage import ANY, WAYS
from tests.load.home import MEGABYTE, fresh_home, show
from tests.load.material import Input

SECONDS: Final = 5.0  # of processor time, of all threads: time by the clock depends on what else the machine does
BYTES: Final = 700_000_000  # peak above what the process holds with its libraries: 250 MB, or 950 MB with TensorFlow
PATIENCE: Final = 60.0  # seconds after which a child that reads one file is killed
BOMBS: Final = 0.05  # share of the inputs that are bombs, small files that claim to be large, not damaged files
ADDRESS_SPACE: Final = 12 << 30  # bytes that a child may map, so that a mistake does not take the machine's memory


class Kind(NamedTuple):
    """One kind of input."""

    share: float  # of all inputs
    good: Callable[[], dict[str, bytes]]  # undamaged files by name
    bombs: Callable[[], dict[str, bytes]]
    read: Callable[[Input, Path], list[str]]  # as pages and commands do; returns complaints, or raises a `FerError`
    together: int = 1000  # how many a process reads; Keras keeps memory of each network


KINDS: Final[dict[str, Kind]] = {
    "picture": Kind(0.37, pictures.pictures, pictures.picture_bombs, pictures.read_picture),
    "video": Kind(0.17, pictures.videos, pictures.video_bombs, pictures.read_video),
    "zip": Kind(0.15, zips.zips, zips.zip_bombs, zips.read_zip),
    "names": Kind(0.03, zips.names, dict, zips.read_names),
    "table": Kind(0.13, zips.tables, zips.table_bombs, zips.read_table),
    "model": Kind(0.10, models.models, models.model_bombs, models.read_model),
    "keras": Kind(0.05, models.keras, models.keras_bombs, models.read_keras, together=10),
}


def make(kind: str, seed: int, number: int) -> Input:
    """Return input `number` of a kind; the same for the same seed."""
    random = np.random.default_rng([seed, sorted(KINDS).index(kind), number])
    good, bombs = KINDS[kind].good(), KINDS[kind].bombs()
    if bombs and random.random() < BOMBS:
        name = sorted(bombs)[int(random.integers(0, len(bombs)))]
        return Input(f"bomb {name}", name, bombs[name])
    name = sorted(good)[int(random.integers(0, len(good)))]
    ways = [*ANY, *WAYS.get(Path(name).suffix, ())]
    way = ways[int(random.integers(0, len(ways)))]
    return Input(f"{name} {way.__name__}", name, way(good[name], random))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", metavar="KIND[:NUMBER]", help="one kind, or one file of it; shows its traceback")
    parser.add_argument("--keep", type=Path, help="with --only KIND:NUMBER, write the damaged file here")
    given = parser.parse_args()
    kind, _, number = (given.only or "").partition(":")
    if kind and kind not in KINDS:
        parser.error(f"--only needs one of {', '.join(KINDS)}")
    if number and given.keep:
        given.keep.write_bytes(make(kind, given.seed, int(number)).content)
    rows, violations, files = [], [], 0
    with fresh_home() as folder:
        for name, one in KINDS.items():
            if kind not in ("", name):
                continue
            numbers = [int(number)] if number else list(range(round(given.count * one.share)))
            parts = [numbers[start : start + one.together] for start in range(0, len(numbers), one.together)]
            results = [result for part in parts for result in _children(name, given.seed, part, folder)]
            again = f"--seed {given.seed} --only {name}"
            violations += [
                f"{name}:{result['number']} ({result['what']}): {problem}  {again}:{result['number']}"
                for result in results
                for problem in _problems(result)
            ]
            rows.append(_row(name, results))
            files += len(results)
    columns = ["Kind", "Files", "Results", "Sentences", "Slowest", "Peak memory", "Violations"]
    return show(f"{files:,} damaged files, seed {given.seed}", columns, rows, violations)


def _row(name: str, results: list[dict[str, Any]]) -> list[str]:
    count = Counter(one["outcome"] for one in results)
    slowest, largest = (max((one[key] for one in results), default=0) for key in ("seconds", "bytes"))
    bad = sum(bool(_problems(one)) for one in results)
    cells = [len(results), count["result"], count["sentence"], f"{slowest:.1f} s", f"{largest / MEGABYTE:.0f} MB", bad]
    return [name, *map(str, cells)]


def _problems(one: dict[str, Any]) -> list[str]:
    problems = [] if one["outcome"] in ("result", "sentence") else [one["outcome"]]
    if one["seconds"] > SECONDS:
        problems.append(f"{one['seconds']:.1f} seconds")
    if one["bytes"] > BYTES:
        problems.append(f"{one['bytes'] / MEGABYTE:.0f} MB")
    return problems + [f"left {path}" for path in one["left"]]


def _children(kind: str, seed: int, numbers: list[int], folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what each number gave; after a crash or a file that takes too long, go on in another child."""
    context, log, alone = multiprocessing.get_context("spawn"), folder / "log.txt", len(numbers) == 1
    while numbers:
        here, there = context.Pipe(duplex=False)
        child = context.Process(target=_read_all, args=(there, kind, seed, numbers, log))
        child.start()
        there.close()
        begun: dict[str, Any] = {"what": "start of the process", "number": numbers[0]}
        late = False
        while not (late := not here.poll(PATIENCE)):
            try:
                message = here.recv()
            except EOFError:
                break
            begun = message
            if "outcome" in message:
                numbers = numbers[1:]
                yield message
                begun = {"what": "end of the process", "number": message["number"]}
        if late:
            child.kill()
        child.join()
        if alone:
            sys.stderr.write(log.read_text(errors="replace"))
        if numbers:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            crash = f"crash, status {child.exitcode} {last}"
            outcome = f"no answer within {PATIENCE:.0f} seconds" if late else crash
            yield {**begun, "outcome": outcome, "seconds": 0.0, "bytes": 0, "left": []}
            numbers = numbers[1:]
            for part in ("tmp", "home"):
                shutil.rmtree(folder / part)
                (folder / part).mkdir()


def _read_all(parent: Connection, kind: str, seed: int, numbers: list[int], log: Path) -> None:
    """Read files in this process; tell the parent of each before and after. What libraries print goes into the log."""
    with log.open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    warnings.simplefilter("ignore")
    home, tmp = Path(os.environ["FER_HOME"]), Path(os.environ["TMPDIR"])
    name, content = next(iter(KINDS[kind].good().items()))
    with tempfile.TemporaryDirectory() as folder:  # so that imports and caches do not count for the first damaged file
        KINDS[kind].read(Input("good", name, content), Path(folder))
    libraries = _memory("VmRSS")
    for number in numbers:
        given = make(kind, seed, number)
        told = {"number": number, "what": given.what}
        parent.send(told)
        work = tmp.parent / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        before = _files(home, tmp)
        Path("/proc/self/clear_refs").write_text("5")  # the peak memory counts from here
        start = time.process_time()
        outcome = _outcome(kind, given, work, verbose=len(numbers) == 1)
        seconds, peak = time.process_time() - start, _memory("VmHWM") - libraries
        new = _files(home, tmp) - before
        cache = str(home / "cache") if outcome == "result" else "\0"  # a result may be cached
        left = [path for path in new if not path.startswith(cache)]
        if outcome != "result":
            left += [str(path) for path in work.iterdir() if path.suffix != Path(given.name).suffix]
        left = sorted(str(Path(path).relative_to(tmp.parent)) for path in left if not path.endswith(".lock"))
        parent.send(told | {"outcome": outcome, "seconds": seconds, "bytes": peak, "left": left[:3]})
        for path in new:
            Path(path).unlink(missing_ok=True)


def _outcome(kind: str, given: Input, work: Path, verbose: bool) -> str:
    try:
        sentences = KINDS[kind].read(given, work)
    except FerError as error:
        sentences = [str(error)]
    except BaseException as error:  # what must not happen
        if verbose:
            traceback.print_exc()
        return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
    if verbose:
        print(*(sentences or ["a result"]), sep="\n", file=sys.stderr)
    odd = [text for text in sentences if "\n" in text or not 20 < len(text) < 700]
    return f"no sentence: {odd[0][:200]!r}" if odd else "sentence" if sentences else "result"


def _files(*folders: Path) -> set[str]:
    return {str(path) for folder in folders for path in folder.rglob("*") if path.is_file()}


def _memory(field: str) -> int:
    """Return a field of this process's status in bytes, for example `VmHWM`, its peak memory."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


if __name__ == "__main__":
    sys.exit(main())
