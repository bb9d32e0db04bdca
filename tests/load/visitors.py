"""Many people upload photos at once: `python -m tests.load.visitors --visitors 20 --seconds 120`.

One Streamlit server with a fresh data folder, and visitors who each open Predict, think, upload a photo that nobody
uploaded before, read its results, think, and begin again. How long they think is drawn evenly from zero to twice the
mean. First, one visitor is alone. Asked: no error, for the slowest visitor a median at most 5 times that of the single
visitor, and a server that after all have left needs at most 100 MB more than after its warm-up. Streamlit keeps a
closed session for two minutes, in case the browser comes back, and removes it when another one closes: so after a rest
one last visitor comes and goes before the memory is read. Visitors speak the protocol of a browser without being one:
see `client`.

`--megabytes 200` uploads zips of that size instead, three at once on three pages, and twice. Asked: no error; at most
150 MB beside the files, which Streamlit holds twice while they arrive and then once; and at most 100 MB more than
before after each time.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import random
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Final

import psutil
import requests
from PIL import Image

from tests.bad_inputs import encoded, good_input
from tests.load.client import Connection, Page
from tests.load.kinds.material import packed
from tests.load.report import MEGABYTE, fresh_home, show
from tests.server import serving

MEMORY: Final = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "524288", "MALLOC_TRIM_THRESHOLD_": "524288"}
"""Settings of glibc's allocator, as `make run` and the Dockerfile have them."""

RATIO: Final = 5.0
LEFT: Final = 100 * MEGABYTE
BESIDE: Final = 150 * MEGABYTE

LARGE: Final = (
    ("video", "v_source=Upload"),
    ("dataset", "d_of=My own pictures&d_whole=true"),
    ("fairness", "a_source=My own pictures&a_whole=true"),
)
"""Pages that take large files, and what shows their uploaders."""


@dataclass
class Visitor:
    """What one visitor saw: seconds from each upload to its results, and everything that went wrong."""

    number: int
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.number)

    async def visit(self, address: str, think: float, until: float, photos: int | None = None) -> None:
        """Upload photos until a time, or a number of them."""
        connection = Connection(address)
        while len(self.seconds) < (photos or 10_000) and time.monotonic() < until:
            try:
                await self._one_photo(connection, think)
            except (OSError, requests.RequestException) as error:  # the visitor would have given up
                self.errors.append(f"{type(error).__name__}: {str(error).splitlines()[0][:120]}")
                break
        connection.close()

    async def _one_photo(self, connection: Connection, think: float) -> None:
        async with Page(connection, "predict", "p_source=Upload") as page:
            await asyncio.sleep(self._random.uniform(0, 2 * think))
            photo = self._photo()
            start = time.monotonic()
            await page.upload(f"photo {self.number}.jpg", photo)
            self.seconds.append(time.monotonic() - start)
            self.errors += page.exceptions()
            if not page.pictures():
                self.errors.append("no picture on the page")
            await asyncio.sleep(self._random.uniform(0, 2 * think))

    def _photo(self) -> bytes:
        """Return a photo that no cache knows."""
        turned = Image.open(io.BytesIO(good_input())).rotate(self.number % 9 - 4, expand=True)
        return encoded(turned.resize((900 + self.number, 900 + len(self.seconds))), "JPEG")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--think", type=float, default=5.0, help="mean seconds before and after each upload")
    parser.add_argument("--megabytes", type=int, default=0, help="size of large uploads; 0: photos")
    parser.add_argument("--rest", type=float, default=130, help="seconds until the last visitor comes")
    given = parser.parse_args()
    with fresh_home() as folder, serving(folder, **MEMORY) as (process, address):
        if given.megabytes:
            return asyncio.run(_measure_large(process, address, given))
        return asyncio.run(_measure(process, address, given))


async def _measure(process: psutil.Process, address: str, given: argparse.Namespace) -> int:
    warm, alone, last = Visitor(1001), Visitor(1000), Visitor(1002)
    await warm.visit(address, 0.0, time.monotonic() + 600, photos=2)
    before = _memory(process)
    await alone.visit(address, 0.5, time.monotonic() + 600, photos=9)
    visitors = [Visitor(number) for number in range(given.visitors)]
    until, worked = time.monotonic() + given.seconds, _worked(process)
    visits = asyncio.gather(*(one.visit(address, given.think, until) for one in visitors))
    peak = await _peak(process, visits)
    photos, worked = sum(len(one.seconds) for one in visitors), _worked(process) - worked
    await asyncio.sleep(given.rest)
    await last.visit(address, 0.0, time.monotonic() + 600, photos=1)
    after = _memory(process)
    errors = [f"visitor {one.number}: {error}" for one in (warm, alone, *visitors, last) for error in one.errors]
    if not alone.seconds or not all(one.seconds for one in visitors):
        errors.append("a visitor saw no results")
    medians = [statistics.median(one.seconds) for one in visitors if one.seconds] or [float("nan")]
    single = statistics.median(alone.seconds or [float("nan")])
    ratio = max(medians) / single
    rows = [
        ["Errors", str(len(errors)), "0"],
        ["Photos", str(photos), ""],
        ["Server's processor time for each", f"{worked / max(photos, 1):.2f} s", ""],
        ["Single visitor, median", f"{single:.2f} s", ""],
        ["Visitors' medians: typical, slowest", f"{statistics.median(medians):.2f} s, {max(medians):.2f} s", ""],
        ["Slowest visitor's median / single visitor's", f"{ratio:.1f}", f"≤ {RATIO:.0f}"],
        ["Server's memory after warm-up", f"{before / MEGABYTE:.0f} MB", ""],
        ["Server's memory at its peak", f"{peak / MEGABYTE:.0f} MB", ""],
        [
            f"Server's memory after the last visitor, {given.rest:.0f} s later",
            f"{after / MEGABYTE:.0f} MB",
            f"≤ {(before + LEFT) / MEGABYTE:.0f} MB",
        ],
    ]
    violations = list(errors)
    if not ratio <= RATIO:
        violations.append(f"the ratio is {ratio:.1f}")
    if after > before + LEFT:
        violations.append(f"{(after - before) / MEGABYTE:.0f} MB remain")
    title = f"{given.visitors} visitors, {given.seconds:.0f} s, thinking {given.think:g} s before and after each photo"
    return show(title, ["", "Measured", "Asked"], rows, violations)


async def _measure_large(process: psutil.Process, address: str, given: argparse.Namespace) -> int:
    face = encoded(Image.open(io.BytesIO(good_input())).resize((96, 96)), "PNG")
    names = [f"{expression}/{k}.png" for expression in ("happy", "sad") for k in range(2)]
    table = "\n".join(["file,gender", *(f"{name},{'mf'[k % 2]}" for k, name in enumerate(names))]).encode()
    errors: list[str] = []

    async def upload(page: str, query: str, content: bytes) -> None:
        connection = Connection(address)
        try:
            async with Page(connection, page, query) as opened:
                await opened.upload("large.zip", content)
                errors.extend(f"{page}: {message}" for message in opened.exceptions())
        except (OSError, requests.RequestException) as error:
            errors.append(f"{page}: {type(error).__name__}: {str(error).splitlines()[0][:120]}")
        connection.close()

    async def all_at_once(megabytes: int) -> tuple[int, int, int]:
        """Return the server's memory at its peak, with all files, and after the last visitor."""
        rest = random.Random(megabytes).randbytes(int(megabytes * MEGABYTE))  # a file that the pages leave out
        content = packed({**dict.fromkeys(names, face), "table.csv": table, "notes.bin": rest})
        peak = await _peak(process, asyncio.gather(*(upload(page, query, content) for page, query in LARGE)))
        await asyncio.sleep(1)
        held = _memory(process)
        await asyncio.sleep(given.rest)
        await upload(*LARGE[0], b"small")
        return peak, held, _memory(process)

    *_, before = await all_at_once(1)
    rows = [["Server's memory after warm-up", f"{before / MEGABYTE:.0f} MB", ""]]
    violations: list[str] = []
    files = len(LARGE) * given.megabytes * MEGABYTE
    limits = {"at its peak": 2 * files + BESIDE, "with all files": files + BESIDE, "after the last visitor": LEFT}
    for number in (1, 2):
        for (when, more), memory in zip(limits.items(), await all_at_once(given.megabytes), strict=True):
            name, asked = f"Uploads {number}: memory {when}", before + more
            rows.append([name, f"{memory / MEGABYTE:.0f} MB", f"≤ {asked / MEGABYTE:.0f} MB"])
            if memory > asked:
                violations.append(f"{name}: {memory / MEGABYTE:.0f} MB")
    rows.append(["Errors", str(len(errors)), "0"])
    title = f"{len(LARGE)} visitors upload {given.megabytes} MB each at once"
    return show(title, ["", "Measured", "Asked"], rows, errors + violations)


async def _peak(process: psutil.Process, visits: asyncio.Future) -> int:
    """Return the most memory that the server has until the visits end."""
    peak = _memory(process)
    while not visits.done():
        peak = max(peak, _memory(process))
        await asyncio.wait([visits], timeout=0.25)
    return peak


def _memory(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


def _worked(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    sys.exit(main())
