"""Many people upload photos at once: `python -m tests.load.visitors --visitors 20 --seconds 120`.

Visitors of a new server each open Predict, think, upload a photo that nobody uploaded before, read its results, think,
and begin again. First, one is alone. Asked: no error, for the slowest visitor a median at most 5 times that of the
single one, and at most 100 MB more than after the warm-up when all have left. Streamlit keeps a closed session for two
minutes and removes it when another one closes: so one last visitor comes and goes before the memory is read.

`--megabytes 200` uploads zips of that size instead, three at once on three pages, and twice. Asked: no error; at most
150 MB beside the files, which Streamlit holds twice while they arrive and then once; and 100 MB more afterwards.
"""

import asyncio
import math
import random
import statistics
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, NamedTuple

import psutil
import requests
import typer

from tests.bad_inputs import encoded
from tests.load.client import Connection, Page
from tests.load.home import MEGABYTE, face, fresh_home, packed, show
from tests.server import serving

RATIO: Final = 5.0
LEFT: Final = 100  # megabytes that may remain
BESIDE: Final = 150  # megabytes that may be needed beside the files

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
        turned = face().rotate(self.number % 9 - 4, expand=True)
        while not self.errors and len(self.seconds) < photos and time.monotonic() < until:
            photo = encoded(turned.resize((900 + self.number, 900 + len(self.seconds))), "JPEG")  # that no cache knows
            with self.noting():
                async with Page(connection, "predict", "p_source=Upload") as page:
                    await asyncio.sleep(drawn.uniform(0, 2 * think))
                    start = time.monotonic()
                    await page.upload(f"photo {self.number}.jpg", photo)
                    self.seconds.append(time.monotonic() - start)
                    self.errors += page.exceptions() + ([] if page.pictures() else ["no picture on the page"])
                    await asyncio.sleep(drawn.uniform(0, 2 * think))

    @contextmanager
    def noting(self) -> Iterator[None]:
        try:
            yield
        except (OSError, requests.RequestException) as error:
            self.errors.append(f"{type(error).__name__}: {str(error).splitlines()[0][:120]}")


def main(
    visitors: int = 20,
    seconds: float = 120,
    think: Annotated[float, typer.Option(help="Mean seconds before and after each upload.")] = 5.0,
    megabytes: Annotated[int, typer.Option(help="Size of large uploads; 0: photos.")] = 0,
    rest: Annotated[float, typer.Option(help="Seconds until the last visitor comes.")] = 130,
) -> None:
    """Measure; exit status 1 if a limit is violated."""
    with fresh_home() as folder, serving(folder) as (process, address):
        server, photos = Server(process, address, rest), {"visitors": visitors, "seconds": seconds, "think": think}
        raise typer.Exit(asyncio.run(_measure_large(server, megabytes) if megabytes else _measure(server, **photos)))


class Server(NamedTuple):
    """The server that is measured."""

    process: psutil.Process
    address: str
    rest: float  # seconds until the last visitor comes

    def memory(self) -> float:
        """Return its megabytes."""
        return self.process.memory_info().rss / MEGABYTE

    async def peak(self, *visits: Coroutine[Any, Any, None]) -> float:
        """Return the most megabytes that it has until the visits, all at once, end."""
        peak, together = self.memory(), asyncio.gather(*visits)
        while not together.done():
            peak = max(peak, self.memory())
            await asyncio.wait([together], timeout=0.25)
        return peak


async def _measure(server: Server, *, visitors: int, seconds: float, think: float) -> int:
    warm, alone, last, *others = everybody = [Visitor(number) for number in range(visitors + 3)]
    await warm.visit(server.address, 0.0, photos=2)
    before = server.memory()
    await alone.visit(server.address, 0.5, photos=9)
    peak = await server.peak(*(visitor.visit(server.address, think, seconds=seconds) for visitor in others))
    await asyncio.sleep(server.rest)
    await last.visit(server.address, 0.0, photos=1)
    after = server.memory()
    errors = [f"visitor {visitor.number}: {error}" for visitor in everybody for error in visitor.errors]
    single, *medians = (statistics.median(visitor.seconds or [math.nan]) for visitor in (alone, *others))
    ratio = max(medians) / single
    rows = [
        ["Errors", str(len(errors)), "0"],
        ["Photos", str(sum(len(visitor.seconds) for visitor in others)), ""],
        ["Single visitor, median", f"{single:.2f} s", ""],
        ["Visitors' medians: typical, slowest", f"{statistics.median(medians):.2f} s, {max(medians):.2f} s", ""],
        ["Slowest visitor's median / single visitor's", f"{ratio:.1f}", f"≤ {RATIO:.0f}"],
        ["Server's memory after warm-up", f"{before:.0f} MB", ""],
        ["Server's memory at its peak", f"{peak:.0f} MB", ""],
        ["Server's memory after the last visitor", f"{after:.0f} MB", f"≤ {before + LEFT:.0f} MB"],
    ]
    errors += [] if ratio <= RATIO else [f"the ratio is {ratio:.1f}"]  # also where a visitor saw no results
    errors += [f"{after - before:.0f} MB remain"] if after > before + LEFT else []
    return show(f"{visitors} visitors, {seconds:.0f} s", ["", "Measured", "Asked"], rows, errors)


async def _measure_large(server: Server, megabytes: int) -> int:
    names = [f"{expression}/{k}.png" for expression in ("happy", "sad") for k in range(2)]
    table = "\n".join(["file,gender", *(f"{name},{'mf'[k % 2]}" for k, name in enumerate(names))]).encode()
    picture, visitor = encoded(face().resize((96, 96)), "PNG"), Visitor(0)

    async def upload(path: str, query: str, content: bytes) -> None:
        with visitor.noting():
            async with Page(Connection(server.address), path, query) as page:
                await page.upload("large.zip", content)
                visitor.errors += page.exceptions()

    async def all_at_once(size: int) -> tuple[float, float, float]:
        """Return the server's megabytes at the peak, with all files, and after the last visitor."""
        unread = random.Random(size).randbytes(int(size * MEGABYTE))  # a file that the pages leave out
        content = packed({**dict.fromkeys(names, picture), "table.csv": table, "notes.bin": unread})
        peak = await server.peak(*(upload(*page, content) for page in LARGE))
        await asyncio.sleep(1)
        held = server.memory()
        await asyncio.sleep(server.rest)
        await upload(*LARGE[0], b"small")
        return peak, held, server.memory()

    *_, before = await all_at_once(1)
    rows, violations = [["Server's memory after warm-up", f"{before:.0f} MB", ""]], list[str]()
    files = len(LARGE) * megabytes
    limits = {"at its peak": 2 * files + BESIDE, "with all files": files + BESIDE, "after the last visitor": LEFT}
    for number in (1, 2):
        for (when, more), memory in zip(limits.items(), await all_at_once(megabytes), strict=True):
            rows.append([f"Uploads {number}: memory {when}", f"{memory:.0f} MB", f"≤ {before + more:.0f} MB"])
            violations += [": ".join(rows[-1])] if memory > before + more else []
    rows.append(["Errors", str(len(visitor.errors)), "0"])
    title = f"{len(LARGE)} visitors upload {megabytes} MB each at once"
    return show(title, ["", "Measured", "Asked"], rows, visitor.errors + violations)


if __name__ == "__main__":
    typer.run(main)
