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
from tests.load.home import MEGABYTE, fresh_home, show
from tests.load.material import packed
from tests.server import serving

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

    async def visit(self, address: str, think: float, *, seconds: float = 600, photos: int = 10_000) -> None:
        """Upload photos for some seconds, or a number of them."""
        connection, drawn, until = Connection(address), random.Random(self.number), time.monotonic() + seconds
        while len(self.seconds) < photos and time.monotonic() < until:
            try:
                async with Page(connection, "predict", "p_source=Upload") as page:
                    await asyncio.sleep(drawn.uniform(0, 2 * think))
                    turned = Image.open(io.BytesIO(good_input())).rotate(self.number % 9 - 4, expand=True)
                    photo = turned.resize((900 + self.number, 900 + len(self.seconds)))  # that no cache knows
                    content, start = encoded(photo, "JPEG"), time.monotonic()
                    await page.upload(f"photo {self.number}.jpg", content)
                    self.seconds.append(time.monotonic() - start)
                    self.errors += page.exceptions() + ([] if page.pictures() else ["no picture on the page"])
                    await asyncio.sleep(drawn.uniform(0, 2 * think))
            except (OSError, requests.RequestException) as error:  # the visitor would have given up
                self.errors.append(_line(error))
                break
        connection.session.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--think", type=float, default=5.0, help="mean seconds before and after each upload")
    parser.add_argument("--megabytes", type=int, default=0, help="size of large uploads; 0: photos")
    parser.add_argument("--rest", type=float, default=130, help="seconds until the last visitor comes")
    given = parser.parse_args()
    with fresh_home() as folder, serving(folder) as (process, address):
        return asyncio.run((_measure_large if given.megabytes else _measure)(process, address, given))


async def _measure(process: psutil.Process, address: str, given: argparse.Namespace) -> int:
    warm, alone, last = Visitor(1001), Visitor(1000), Visitor(1002)
    await warm.visit(address, 0.0, photos=2)
    before = _memory(process)
    await alone.visit(address, 0.5, photos=9)
    visitors = [Visitor(number) for number in range(given.visitors)]
    worked = _worked(process)
    visits = asyncio.gather(*(one.visit(address, given.think, seconds=given.seconds) for one in visitors))
    peak = await _peak(process, visits)
    photos, worked = sum(len(one.seconds) for one in visitors), _worked(process) - worked
    await asyncio.sleep(given.rest)
    await last.visit(address, 0.0, photos=1)
    after = _memory(process)
    violations = [f"visitor {one.number}: {error}" for one in (warm, alone, *visitors, last) for error in one.errors]
    if not alone.seconds or not all(one.seconds for one in visitors):
        violations.append("a visitor saw no results")
    medians = [statistics.median(one.seconds) for one in visitors if one.seconds] or [float("nan")]
    single = statistics.median(alone.seconds or [float("nan")])
    ratio = max(medians) / single
    rows = [
        ["Errors", str(len(violations)), "0"],
        ["Photos", str(photos), ""],
        ["Server's processor time for each", f"{worked / max(photos, 1):.2f} s", ""],
        ["Single visitor, median", f"{single:.2f} s", ""],
        ["Visitors' medians: typical, slowest", f"{statistics.median(medians):.2f} s, {max(medians):.2f} s", ""],
        ["Slowest visitor's median / single visitor's", f"{ratio:.1f}", f"≤ {RATIO:.0f}"],
        ["Server's memory after warm-up", _mb(before), ""],
        ["Server's memory at its peak", _mb(peak), ""],
        [f"Server's memory after the last visitor, {given.rest:.0f} s later", _mb(after), f"≤ {_mb(before + LEFT)}"],
    ]
    violations += [] if ratio <= RATIO else [f"the ratio is {ratio:.1f}"]
    violations += [f"{_mb(after - before)} remain"] if after > before + LEFT else []
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
            errors.append(f"{page}: {_line(error)}")
        connection.session.close()

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
    rows, violations = [["Server's memory after warm-up", _mb(before), ""]], []
    files = len(LARGE) * given.megabytes * MEGABYTE
    limits = {"at its peak": 2 * files + BESIDE, "with all files": files + BESIDE, "after the last visitor": LEFT}
    for number in (1, 2):
        for (when, more), memory in zip(limits.items(), await all_at_once(given.megabytes), strict=True):
            name = f"Uploads {number}: memory {when}"
            rows.append([name, _mb(memory), f"≤ {_mb(before + more)}"])
            violations += [f"{name}: {_mb(memory)}"] if memory > before + more else []
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


def _mb(size: float) -> str:
    return f"{size / MEGABYTE:.0f} MB"


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"


if __name__ == "__main__":
    sys.exit(main())
