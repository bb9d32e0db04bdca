"""Which file belongs to which partition of the results: made once, kept beside them, and compared on the next call."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from fer_core.archives.job import Job
from fer_core.archives.places import Place
from fer_core.names import readable
from fer_core.types import FerError

MANIFEST, FILES, PIECES = "_plan.json", "_files.parquet", "_pieces"
"""The plan, its list of files, and the folder of the pieces of long films. Readers of Parquet folders skip these."""

PARTITIONS: Final = 256
"""Photos are divided into about this many partitions, so that many machines have work and readers few files."""

FEWEST: Final = 16
MOST: Final = 1000
"""At least and at most this many photos are in a partition. 1,000 take a core a minute or less, which is what a killed
worker loses at most."""

PIECE_SECONDS: Final = 60.0
"""Length of the pieces into which long films are cut, and of the short films that are put together."""


@dataclass(frozen=True)
class Source:
    """A file to analyse.

    Attributes:
        file: its path or address.
        size: in bytes; -1 if it was missing.
        pieces: number of pieces into which a film is cut.
        seconds: length of a film; 0 if it is unknown.
    """

    file: str
    size: int
    pieces: int = 1
    seconds: float = 0.0


@dataclass(frozen=True)
class Task:
    """A file to write, by one worker.

    Attributes:
        name: path of the file in the folder of results.
        files: what to analyse.
        piece: the part of the only film, in seconds; None for all.
        join: paths of the pieces of the only film that are put together.
    """

    name: str
    files: tuple[str, ...]
    piece: tuple[float, float] | None = None
    join: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The partitions of an archive's results.

    Attributes:
        partitions: the files of each.
    """

    partitions: tuple[tuple[Source, ...], ...]

    def task(self, index: int) -> Task:
        """Return the task that writes a partition."""
        sources = self.partitions[index]
        names = tuple(task.name for task in self.pieces(index))
        return Task(part_name(index), tuple(source.file for source in sources), join=names)

    def pieces(self, index: int) -> list[Task]:
        """Return the tasks that must be done before `task`: the pieces of a long film, or none."""
        (first, *_) = self.partitions[index]
        if first.pieces == 1:
            return []
        stem = Path(part_name(index)).stem
        cuts = [*(k * PIECE_SECONDS for k in range(first.pieces)), float("inf")]
        return [
            Task(f"{PIECES}/{stem}-{k:04d}.parquet", (first.file,), piece=(cuts[k], cuts[k + 1]))
            for k in range(first.pieces)
        ]

    @property
    def files(self) -> int:
        """The number of files."""
        return sum(map(len, self.partitions))


def part_name(index: int) -> str:
    """Return the file name of a partition."""
    return f"part-{index:05d}.parquet"


def plan_for(
    out: Place, job: Job, found: Sequence[tuple[str, int]], measure: Callable[[list[str]], list[float]]
) -> Plan:
    """Return the plan in the folder of results, or make one and keep it there.

    Args:
        out: the folder of results.
        job: what to do.
        found: address and size of each file.
        measure: returns the seconds of each film, 0 where unknown or where it cannot be cut; not called for photos.

    Raises:
        FerError: the folder has results of other files or settings, or cannot be read or written.
    """
    names = out.names()
    addresses = {readable(file): file for file, _ in found}  # Parquet holds only text that is UTF-8
    if MANIFEST in names:
        sources = _kept(out)
        _check_settings(out, json.loads(out.child(MANIFEST).read()), job)
        sizes = {readable(file): size for file, size in found}
        _check_files(out, {source.file: source.size for one in sources for source in one}, sizes)
        return Plan(tuple(tuple(replace(source, file=addresses[source.file]) for source in one) for one in sources))
    if any(name.startswith("part-") for name in names):
        raise FerError(f"{out.address} holds Parquet files without {MANIFEST}. Name a new folder for the results.")
    photos = job.kind == "photos"
    partitions = _of_photos(found) if photos else _of_films(found, measure([file for file, _ in found]))
    rows = [(k, {**vars(source), "file": readable(source.file)}) for k, one in enumerate(partitions) for source in one]
    table = pd.DataFrame([{"partition": k, **row} for k, row in rows])
    stream = io.BytesIO()
    table.to_parquet(stream, index=False)
    out.child(FILES).write(stream.getvalue())
    document = {"kind": job.kind, "settings": job.settings(), "files": len(found), "partitions": len(partitions)}
    out.child(MANIFEST).write((json.dumps(document, indent=1) + "\n").encode())
    return Plan(tuple(partitions))


def _of_photos(found: Sequence[tuple[str, int]]) -> list[tuple[Source, ...]]:
    each = min(max(-(-len(found) // PARTITIONS), FEWEST), MOST)
    sources = [Source(file, size) for file, size in found]
    return [tuple(sources[k : k + each]) for k in range(0, len(sources), each)]


def _of_films(found: Sequence[tuple[str, int]], lengths: Sequence[float]) -> list[tuple[Source, ...]]:
    """Give each long film a partition of its own, and put short ones together."""
    partitions: list[tuple[Source, ...]] = []
    short: list[Source] = []
    for (file, size), seconds in zip(found, lengths, strict=True):
        pieces = max(round(seconds / PIECE_SECONDS), 1)
        source = Source(file, size, pieces, seconds)
        if pieces > 1:
            partitions.append((source,))
            continue
        short.append(source)
        if sum(one.seconds for one in short) >= PIECE_SECONDS or len(short) == MOST:
            partitions.append(tuple(short))
            short = []
    return [*partitions, tuple(short)] if short else partitions


def _kept(out: Place) -> list[tuple[Source, ...]]:
    try:
        table = pd.read_parquet(io.BytesIO(out.child(FILES).read()))
        return [
            tuple(Source(*row) for row in one[["file", "size", "pieces", "seconds"]].itertuples(index=False))
            for _, one in table.groupby("partition")
        ]
    except (OSError, ValueError, KeyError) as error:
        raise FerError(f"The plan in {out.address} is damaged. Name a new folder for the results.") from error


def _check_settings(out: Place, document: dict[str, Any], job: Job) -> None:
    if document.get("kind") != job.kind:
        raise FerError(f"{out.address} holds results of {document.get('kind')}, not {job.kind}. Name a new folder.")
    before, now = document.get("settings", {}), job.settings()
    for name, value in now.items():
        if before.get(name) != value:
            raise FerError(
                f"{out.address} holds results with other settings ({name}). Name a new folder, or repeat the settings. "
                f"Expected {before.get(name)}. Received: {value}"
            )


def _check_files(out: Place, before: dict[str, int], now: dict[str, int]) -> None:
    if before == now:
        return
    new, gone = len(now.keys() - before.keys()), len(before.keys() - now.keys())
    changed = sum(before[file] != now[file] for file in before.keys() & now.keys())
    raise FerError(
        f"{out.address} holds results of other files. Name a new folder for the results. "
        f"Received: {new:,} new, {gone:,} missing and {changed:,} changed of {len(now):,} files."
    )
