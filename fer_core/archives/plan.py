"""Which file belongs to which partition of the results: made once, kept beside them, and compared on the next call."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import pandas as pd

from fer_core.archives.job import Job
from fer_core.archives.places import Place
from fer_core.names import readable
from fer_core.types import FerError

MANIFEST, FILES = "_plan.json", "_files.parquet"
COLUMNS: Final = ["partition", "file", "size"]
"""The plan, its list of files, and the list's columns. Readers of Parquet folders skip these files."""

PARTITIONS: Final = 256
"""Photos are divided into about this many partitions, so that many machines have work and readers few files."""

FEWEST: Final = 16
MOST: Final = 1000
"""At least and at most this many photos are in a partition. 1,000 take a core a minute or less, which is what a killed
worker loses at most."""

PARTITION_SECONDS: Final = 60.0
"""A video of one and a half of these has a partition of its own; shorter ones are put together up to this length."""


class Task(NamedTuple):
    """A partition to write, by one worker: its file name in the folder of results, and the files to analyse."""

    name: str
    files: tuple[str, ...]


def plan_for(out: Place, job: Job, sizes: dict[str, int], measure: Callable[[list[str]], list[float]]) -> list[Task]:
    """Return the partitions that the folder of results has a plan for, or make a plan and keep it there.

    Args:
        out: the folder of results.
        job: what to do.
        sizes: the size of each file by its address.
        measure: returns the length of each video in seconds, 0 where it is unknown; not called for photos.

    Raises:
        FerError: the folder has results of other files or settings, or cannot be read or written.
    """
    names, files = out.names(), list(sizes)
    addresses = {readable(file): file for file in files}  # Parquet holds only text that is UTF-8
    if MANIFEST in names:
        table = _kept(out, job, {readable(file): size for file, size in sizes.items()})
    elif any(name.startswith("part-") for name in names):
        raise FerError(f"{out.address} holds Parquet files without {MANIFEST}. Name a new folder for the results.")
    else:
        partitions = _of_photos(files) if job.kind == "photos" else _of_videos(files, measure(files))
        rows = [(k, readable(file), sizes[file]) for k, part in enumerate(partitions) for file in part]
        table = pd.DataFrame(rows, columns=COLUMNS)
        document = {"kind": job.kind, "settings": job.settings(), "files": len(files), "partitions": len(partitions)}
        out.child(FILES).write(table.to_parquet(index=False))
        out.child(MANIFEST).write((json.dumps(document, indent=1) + "\n").encode())
    groups = table.groupby("partition")["file"]
    return [Task(f"part-{index:05d}.parquet", tuple(addresses[name] for name in group)) for index, group in groups]


def _of_photos(files: Sequence[str]) -> list[Sequence[str]]:
    each = min(max(-(-len(files) // PARTITIONS), FEWEST), MOST)
    return [files[k : k + each] for k in range(0, len(files), each)]


def _of_videos(files: Sequence[str], lengths: Sequence[float]) -> list[Sequence[str]]:
    partitions: list[Sequence[str]] = []
    short: list[str] = []
    together = 0.0
    for file, seconds in zip(files, lengths, strict=True):
        if round(seconds / PARTITION_SECONDS) > 1:
            partitions.append([file])
            continue
        short.append(file)
        together += seconds
        if together >= PARTITION_SECONDS or len(short) == MOST:
            partitions.append(short)
            short, together = [], 0.0
    return [*partitions, short] if short else partitions


def _kept(out: Place, job: Job, sizes: dict[str, int]) -> pd.DataFrame:
    """Return the plan in a folder, if it is of these files and settings."""
    try:
        table = pd.read_parquet(io.BytesIO(out.child(FILES).read()), columns=COLUMNS)
        document = json.loads(out.child(MANIFEST).read())
        kind = document["kind"].replace("films", "videos")  # as plans once called them
        settings: dict[str, Any] = {"kind of files": kind, **document["settings"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FerError(f"The plan in {out.address} is damaged. Name a new folder for the results.") from error
    for name, value in {"kind of files": job.kind, **job.settings()}.items():
        if settings.get(name) != value:
            raise FerError(
                f"{out.address} holds results with other settings ({name}). Name a new folder, or repeat the settings. "
                f"Expected {settings.get(name)}. Received: {value}"
            )
    before = dict(zip(table["file"], table["size"], strict=True))
    new, gone = len(sizes.keys() - before.keys()), len(before.keys() - sizes.keys())
    changed = sum(before[file] != sizes[file] for file in before.keys() & sizes.keys())
    if new or gone or changed:
        raise FerError(
            f"{out.address} holds results of other files. Name a new folder for the results. "
            f"Received: {new:,} new, {gone:,} missing and {changed:,} changed of {len(sizes):,} files."
        )
    return table
