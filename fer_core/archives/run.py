"""Analyse an archive: divide it into partitions, do those that are missing, and count.

The plan, which file belongs to which partition, is made once, kept beside the results, and compared on the next call.
"""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Final, NamedTuple

import pandas as pd
import pyarrow.dataset as ds

from fer_core.archives.storage import Location, find_files
from fer_core.archives.worker import Done, Job, LocalEngine, RayEngine, Task
from fer_core.data import IMAGE_SUFFIXES
from fer_core.inference.video_reader import VIDEO_SUFFIXES
from fer_core.names import readable
from fer_core.types import FerError

MANIFEST, FILES = "_plan.json", "_files.parquet"
COLUMNS: Final = ["partition", "file", "size"]
"""The plan, its list of files, and the list's columns. Readers of Parquet folders skip these files."""

PARTITIONS: Final = 256  # about so many for photos, so that many machines have work and readers few files
FEWEST, MOST = 16, 1000
"""Photos in a partition. 1,000 take a core a minute or less, which is what a killed worker loses at most."""

PARTITION_BYTES: Final = 20_000_000
"""Videos are put together until they have this size, about a minute of a phone's; a larger one is alone."""


class Summary(NamedTuple):
    """The results of an archive."""

    out: str  # the folder
    files: int
    faces: int  # rows with a face
    errors: dict[str, int]  # the number of each kind, most frequent first
    seconds: float  # of this call
    done: int  # files of this call; the others were done before
    faces_per_second: dict[str, float]  # of each machine in this call


def run_archive(
    inputs: Sequence[str],
    out: str,
    *,
    job: Job,
    engine: LocalEngine | RayEngine,
    on_progress: Callable[[int, int, list[Done]], None] = lambda *_: None,
) -> Summary:
    """Analyse all files of an archive and write partitioned Parquet.

    Each partition is written once and completely. A call for a folder that has some of the partitions does the others.
    `pandas.read_parquet(out)` reads all results.

    Args:
        inputs: files, folders, patterns and addresses.
        out: folder or address for the results.
        job: what to do.
        engine: where to do it.
        on_progress: called after each partition with the number of partitions that are done and of all, and with what
            this call has done.

    Raises:
        FerError: there are no files, the folder holds results of other files or settings, its name is not UTF-8, or it
            cannot be written; or, when all else is done, some files could not be reached.
    """
    start = time.monotonic()
    folder = Location.of(out.rstrip("/") or out)
    if folder.path != readable(folder.path):
        raise FerError(f"Results need a folder whose name is UTF-8. Name another one. Received: {folder.path}")
    sizes = find_files(inputs, IMAGE_SUFFIXES if job.kind == "photos" else VIDEO_SUFFIXES)
    if not sizes:
        raise FerError("Name at least one file, folder, pattern or address.")
    tasks = plan_for(folder, job, sizes=sizes)
    written = folder.names()
    pending = [task for task in tasks if task.name not in written]
    results: list[Done] = []
    unreachable: list[str] = []
    for done in engine.run(job, folder.address, pending) if pending else ():
        if done.unreachable:
            unreachable.append(done.unreachable)
            continue
        results.append(done)
        on_progress(len(tasks) - len(pending) + len(results), len(tasks), results)
    if unreachable:
        raise FerError(
            f"{len(unreachable):,} of {len(tasks):,} partitions are not written, because files could not be reached. "
            f"Run the same command again to continue. The first one: {unreachable[0]}"
        )
    missing = {task.name for task in pending} - folder.names()
    if missing:
        raise FerError(
            f"{len(missing):,} of {len(tasks):,} partitions were written but are not in {folder.address}. "
            "With several machines, the results need a folder that all of them share, or an address such as "
            "s3://bucket/table."
        )
    paths = [folder.child(task.name).path for task in tasks]
    table = ds.dataset(paths, filesystem=folder.filesystem, format="parquet").to_table(["file", "error", "face"])
    failed = table.filter(ds.field("error").is_valid()).to_pylist()
    kinds = Counter(error_kind(row["file"], row["error"]) for row in failed)
    work = pd.DataFrame(results, columns=list(Done._fields))
    spent = max(work["ended"].max() - work["started"].min(), 1e-9)
    return Summary(
        folder.address,
        len(sizes),
        len(table) - table["face"].null_count,
        dict(kinds.most_common()),
        time.monotonic() - start,
        int(work["files"].sum()),
        (work.groupby("machine")["faces"].sum() / spent).to_dict(),
    )


def plan_for(out: Location, job: Job, *, sizes: dict[str, int]) -> list[Task]:
    """Return the partitions that the folder of results has a plan for, or make a plan and keep it there.

    `sizes` are those of the files, by their addresses.
    """
    names = out.names()
    addresses = {readable(file): file for file in sizes}  # Parquet holds only text that is UTF-8
    if MANIFEST in names:
        table = _kept_plan(out, job, {readable(file): size for file, size in sizes.items()})
    elif any(name.startswith("part-") for name in names):
        raise FerError(f"{out.address} holds Parquet files without {MANIFEST}. Name a new folder for the results.")
    else:
        partitions = _of_photos(list(sizes)) if job.kind == "photos" else _of_videos(sizes)
        rows = [(k, readable(file), sizes[file]) for k, part in enumerate(partitions) for file in part]
        table = pd.DataFrame(rows, columns=COLUMNS)
        document = {"kind": job.kind, "settings": job.settings(), "files": len(sizes), "partitions": len(partitions)}
        out.child(FILES).write(table.to_parquet(index=False))
        out.child(MANIFEST).write((json.dumps(document, indent=1) + "\n").encode())
    groups = table.groupby("partition")["file"]
    return [Task(f"part-{index:05d}.parquet", tuple(addresses[name] for name in group)) for index, group in groups]


def error_kind(file: str, error: str) -> str:
    """Return the first sentence of an error without the file's name, for counting."""
    name = PurePosixPath(file).name[:80]
    return error.replace(repr(name), "…").replace(name, "…").split(". ")[0].rstrip(".")


def _of_photos(files: Sequence[str]) -> list[Sequence[str]]:
    each = min(max(-(-len(files) // PARTITIONS), FEWEST), MOST)
    return [files[k : k + each] for k in range(0, len(files), each)]


def _of_videos(sizes: dict[str, int]) -> list[Sequence[str]]:
    partitions: list[Sequence[str]] = []
    small: list[str] = []
    for file, size in sizes.items():
        if size >= PARTITION_BYTES:
            partitions.append([file])
            continue
        small.append(file)
        if len(small) == MOST or sum(sizes[name] for name in small) >= PARTITION_BYTES:
            partitions.append(small)
            small = []
    return [*partitions, small] if small else partitions


def _kept_plan(out: Location, job: Job, sizes: dict[str, int]) -> pd.DataFrame:
    """Return the plan in a folder, if it is of these files and settings."""
    try:
        table = pd.read_parquet(io.BytesIO(out.child(FILES).read()), columns=COLUMNS)
        document = json.loads(out.child(MANIFEST).read())
        kind = document["kind"].replace("films", "videos")  # as plans once called them
        settings = {"kind of files": kind, **document["settings"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FerError(f"The plan in {out.address} is damaged. Name a new folder for the results.") from error
    for name, value in {**dict.fromkeys(settings), "kind of files": job.kind, **job.settings()}.items():
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
