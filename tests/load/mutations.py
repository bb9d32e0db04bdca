"""Read thousands of damaged files as the pages and commands do: `python -m tests.load.mutations --count 2000 --seed 0`.

Each file must give a result or one sentence of a `FerError`, within 5 seconds of processor time and 700 MB, and leave
no file behind. Files are read in child processes, so that a crash or a file that takes forever is found and named.
Linux only: the peak memory of each file comes from `/proc`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import selectors
import shutil
import subprocess
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from fer_core.types import FerError
from tests.load.readers import KINDS, Input, make
from tests.load.report import MEGABYTE, fresh_home, show

SECONDS: Final = 5.0
"""Processor time, of all threads: the time by the clock depends on what else the machine does."""
BYTES: Final = 700_000_000
"""Peak memory above what the process holds with Python and all libraries: 250 MB, or 950 MB with TensorFlow."""

PATIENCE: Final = 60.0
"""Seconds after which a child that reads one file is killed."""

_ADDRESS_SPACE: Final = 12 << 30
"""Bytes that a child may map at most, so that a mistake does not take the machine's memory."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", metavar="KIND[:NUMBER]", help="one kind, or one file of it; shows its traceback")
    parser.add_argument("--keep", type=Path, help="with --only KIND:NUMBER, write the damaged file here")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        _read_all(given.child[0], given.seed, json.loads(given.child[1]))
        return 0
    kind, _, number = (given.only or "").partition(":")
    if kind and kind not in KINDS:
        parser.error(f"--only needs one of {', '.join(KINDS)}")
    if number and given.keep:
        given.keep.write_bytes(make(kind, given.seed, int(number)).content)
    plan = {
        name: [int(number)] if number else list(range(round(given.count * one.share)))
        for name, one in KINDS.items()
        if kind in ("", name)
    }
    with fresh_home() as folder:
        found = {
            name: [
                one
                for start in range(0, len(numbers), KINDS[name].together)
                for one in _children(name, given.seed, numbers[start : start + KINDS[name].together], folder)
            ]
            for name, numbers in plan.items()
        }
    rows = [_row(name, results) for name, results in found.items()]
    violations = [
        f"{name}:{one['number']} ({one['what']}): {problem}  --seed {given.seed} --only {name}:{one['number']}"
        for name, results in found.items()
        for one in results
        for problem in _problems(one)
    ]
    columns = ["Kind", "Files", "Results", "Sentences", "Slowest", "Peak memory", "Violations"]
    files = sum(map(len, found.values()))
    return show(f"{files:,} damaged files, seed {given.seed}", columns, rows, violations)


def _row(name: str, results: list[dict[str, Any]]) -> list[str]:
    count = Counter(one["outcome"] for one in results)
    slowest, largest = (max((one[key] for one in results), default=0) for key in ("seconds", "bytes"))
    bad = sum(bool(_problems(one)) for one in results)
    cells = [len(results), count["result"], count["sentence"], f"{slowest:.1f} s", f"{largest / MEGABYTE:.0f} MB", bad]
    return [name, *map(str, cells)]


def _problems(one: dict[str, Any]) -> list[str]:
    found = [] if one["outcome"] in ("result", "sentence") else [one["outcome"]]
    if one["seconds"] > SECONDS:
        found.append(f"{one['seconds']:.1f} seconds")
    if one["bytes"] > BYTES:
        found.append(f"{one['bytes'] / MEGABYTE:.0f} MB")
    return found + [f"left {path}" for path in one["left"]]


def _children(kind: str, seed: int, numbers: list[int], folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what each number gave; after a crash or a file that takes too long, go on in another child."""
    asked = numbers
    while numbers:
        command = [sys.executable, "-m", "tests.load.mutations", "--seed", str(seed), "--child", kind]
        log = folder / "log.txt"
        with log.open("wb") as errors:
            child = subprocess.Popen(
                [*command, json.dumps(numbers)],
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        begun: dict[str, Any] = {"what": "start of the process", "number": numbers[0]}
        for line in _lines(child):
            said = json.loads(line)
            if "outcome" in said:
                numbers = numbers[1:]
                yield said
                begun = {"what": "end of the process", "number": said["number"]}
            else:
                begun = said
        if len(asked) == 1:
            sys.stderr.write(log.read_text(errors="replace"))
        if numbers:
            status = child.wait()
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            outcome = f"no answer within {PATIENCE:.0f} seconds" if status == -9 else f"crash, status {status} {last}"
            yield {**begun, "outcome": outcome, "seconds": 0.0, "bytes": 0, "left": []}
            numbers = numbers[1:]
            _empty(folder / "tmp", folder / "home")


def _lines(child: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield the lines that a child prints until it ends; kill it if it prints none for too long."""
    assert child.stdout
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(PATIENCE):
                child.kill()
                break
            line = child.stdout.readline()
            if not line:
                break
            yield line
    child.wait()


def _read_all(kind: str, seed: int, numbers: list[int]) -> None:
    """Read files in this process and print a line of JSON before and after each."""
    output = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    warnings.simplefilter("ignore")
    home, tmp = Path(os.environ["FER_HOME"]), Path(os.environ["TMPDIR"])
    _warm_up(kind, seed)
    libraries = _memory("VmRSS")
    for number in numbers:
        given = make(kind, seed, number)
        told = {"number": number, "what": given.what}
        print(json.dumps(told), file=output)
        work = tmp.parent / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        before = _files(home, tmp)
        Path("/proc/self/clear_refs").write_text("5")  # the peak memory counts from here
        start = time.process_time()
        outcome = _outcome(kind, given, work, verbose=len(numbers) == 1)
        seconds, peak = time.process_time() - start, _memory("VmHWM") - libraries
        cache = str(home / "cache") if outcome == "result" else "\0"  # a result may be cached
        left = [path for path in _files(home, tmp) - before if not path.startswith(cache)]
        if outcome != "result":
            left += [str(path) for path in work.iterdir() if path.suffix != Path(given.name).suffix]
        left = [str(Path(path).relative_to(tmp.parent)) for path in left if not path.endswith(".lock")]
        told |= {"outcome": outcome, "seconds": seconds, "bytes": peak, "left": sorted(left)[:3]}
        print(json.dumps(told), file=output)
        for path in _files(home, tmp) - before:
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


def _warm_up(kind: str, seed: int) -> None:
    """Read a good file, so that imports and caches do not count for the first damaged one."""
    import tempfile

    name, content = next(iter(KINDS[kind].good().items()))
    with tempfile.TemporaryDirectory() as folder:
        KINDS[kind].read(Input("good", name, content), Path(folder))


def _files(*folders: Path) -> set[str]:
    return {str(path) for folder in folders for path in folder.rglob("*") if path.is_file()}


def _empty(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder)
        folder.mkdir()


def _memory(field: str) -> int:
    """Return a field of this process's status in bytes, for example `VmHWM`, its peak memory."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


if __name__ == "__main__":
    sys.exit(main())
