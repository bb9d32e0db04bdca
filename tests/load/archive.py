"""An archive on a Ray cluster of two nodes on this machine; one worker is killed midway, and then one node.

Run by hand where Ray is installed: `python -m tests.load.archive --photos 20000`. It writes generated photos, analyses
them by threads and on the cluster, and compares the two tables. It prints what it measured as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import psutil
from PIL import Image

from fer_core.archives import Job, LocalEngine, RayEngine, run_archive
from fer_core.archives.worker import Done, Task
from fer_core.data import sample_portrait
from fer_core.store.folders import load_model

BROKEN_EVERY = 50  # each photo with such a number is cut off, so that errors are compared as well


def write_photos(folder: Path, count: int, seed: int = 0) -> None:
    """Write JPEGs of 160 x 120 pixels: the portrait's head, smaller or larger, darker or lighter, anywhere on gray."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    head = sample_portrait()[:240, 110:350]
    for number in range(count):
        side = int(random.integers(55, 115))
        photo = np.full((120, 160, 3), random.integers(60, 200), np.uint8)
        top, left = random.integers(0, 120 - side + 1), random.integers(0, 160 - side + 1)
        light = random.uniform(0.6, 1.2)
        small = cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA)
        photo[top : top + side, left : left + side] = np.clip(small * light, 0, 255).astype(np.uint8)
        path = folder / f"{number:06d}.jpg"
        Image.fromarray(photo).save(path, quality=88)
        if number % BROKEN_EVERY == BROKEN_EVERY - 1:
            path.write_bytes(path.read_bytes()[:900])


class Interrupts:
    """An engine that does as another one, and calls functions when a share of the tasks, from 0 to 1, is done."""

    def __init__(self, engine: RayEngine, breaks: dict[float, Callable[[], object]]) -> None:
        self.engine, self.breaks = engine, dict(breaks)

    def run(self, job: Job, out: str, tasks: Sequence[Task]) -> Iterator[Done]:
        for count, done in enumerate(self.engine.run(job, out, tasks), 1):
            for share in [share for share in self.breaks if count >= share * len(tasks)]:
                self.breaks.pop(share)()
            yield done


def kill_a_worker() -> list[int]:
    """Kill one process of an actor of this user with SIGKILL, and return its id."""
    for process in psutil.process_iter(["cmdline", "pid", "ppid"]):
        with suppress(psutil.Error):
            ours = os.getpid() in {parent.pid for parent in process.parents()}  # others may run Ray on this machine
            if ours and any("ray::MapWorker" in part for part in process.info["cmdline"] or []):
                process.kill()
                return [process.info["pid"]]
    return []


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--photos", type=int, default=20_000)
    options.add_argument("--folder", type=Path, help="where to work; by default a temporary folder")
    count, folder = vars(options.parse_args()).values()
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(measure(folder or Path(temporary), count), indent=1))


def measure(folder: Path, count: int) -> dict[str, Any]:
    """Return the measured numbers, by name."""
    from ray.cluster_utils import Cluster

    photos = folder / "photos"
    write_photos(photos, count)
    job = Job.of("photos", load_model())
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = cluster.add_node(num_cpus=1)
    numbers: dict[str, Any] = {"photos": count}
    killed: list[int] = []
    breaks = {0.4: lambda: killed.extend(kill_a_worker()), 0.7: lambda: cluster.remove_node(second)}
    try:
        cluster.connect()
        engine = Interrupts(RayEngine(), breaks)
        on_ray = run_archive([str(photos)], str(folder / "ray"), job=job, engine=engine)
        again = run_archive([str(photos)], str(folder / "ray"), job=job, engine=engine)
        numbers["killed_workers"], numbers["killed_nodes"] = len(killed), int(not engine.breaks)
        numbers["seconds_on_ray"] = on_ray.seconds
        numbers["faces_per_second_per_node"] = on_ray.faces_per_second
        numbers["second_call_seconds"], numbers["second_call_files"] = again.seconds, again.done
    finally:
        import ray

        ray.shutdown()
        cluster.shutdown()
    alone = run_archive([str(photos)], str(folder / "local"), job=job, engine=LocalEngine())
    numbers["seconds_by_threads"] = alone.seconds
    numbers |= {"files": alone.files, "faces": alone.faces, "errors": alone.errors}
    tables = (pd.read_parquet(folder / name) for name in ("local", "ray"))
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    return numbers | {"identical": True}


if __name__ == "__main__":
    main()
