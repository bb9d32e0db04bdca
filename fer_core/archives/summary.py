"""What an archive's results hold, and how fast they were made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow.dataset as ds

from fer_core.archives.places import Place
from fer_core.archives.plan import Plan, part_name
from fer_core.archives.worker import Done


@dataclass(frozen=True)
class Summary:
    """The results of an archive.

    Attributes:
        out: the folder of results.
        files: number of files.
        faces: number of rows with a face.
        errors: number of errors of each kind, most frequent first.
        seconds: how long this call took.
        done: number of files that this call did; the others were done before.
        faces_per_second: of each machine in this call.
    """

    out: str
    files: int
    faces: int
    errors: dict[str, int]
    seconds: float
    done: int
    faces_per_second: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON types."""
        return asdict(self)


def summarize(out: Place, plan: Plan, done: Sequence[Done], seconds: float) -> Summary:
    """Count the rows of all results.

    Args:
        out: the folder of results.
        plan: its plan, all partitions of which exist.
        done: what this call did.
        seconds: how long it took.
    """
    paths = [out.child(part_name(index)).path for index in range(len(plan.partitions))]
    kinds: Counter[str] = Counter()
    faces = 0
    if paths:
        table = ds.dataset(paths, filesystem=out.filesystem, format="parquet").to_table(["file", "error", "face"])
        faces = len(table) - table["face"].null_count
        failed = table.filter(ds.field("error").is_valid())
        kinds.update(error_kind(row["file"], row["error"]) for row in failed.to_pylist())
    rates: Counter[str] = Counter()
    for one in done:
        rates[one.machine] += one.faces
    spent = max(max((one.ended for one in done), default=0) - min((one.started for one in done), default=0), 1e-9)
    return Summary(
        out.address,
        plan.files,
        faces,
        dict(kinds.most_common()),
        seconds,
        sum(one.files for one in done),
        {machine: count / spent for machine, count in sorted(rates.items())},
    )


def error_kind(file: str, error: str) -> str:
    """Return the first sentence of an error without the file's name, for counting."""
    name = PurePosixPath(file).name[:80]
    return error.replace(repr(name), "…").replace(name, "…").split(". ")[0].rstrip(".")
