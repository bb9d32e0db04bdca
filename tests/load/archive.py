"""An archive on a Ray cluster of two nodes on this machine; one worker is killed midway, and then one node.

Run by hand where Ray is installed: `python -m tests.load.archive --photos 20000`. It writes generated photos, analyses
them by threads and on the cluster, and compares the two tables. It prints what it measured as JSON.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import psutil
import typer
from PIL import Image

from fer_core.archives import Job, LocalEngine, RayEngine, run_archive
from fer_core.archives.worker import Done, Task
from fer_core.data import sample_portrait
from fer_core.store.folders import load_model


def write_photos(folder: Path, count: int) -> None:
    """Write JPEGs of 160 x 120 pixels: the portrait's head, smaller or larger, darker or lighter, anywhere on gray."""
    folder.mkdir(parents=True, exist_ok=True)
    random, head = np.random.default_rng(0), sample_portrait()[:240, 110:350]
    for number in range(count):
        side = int(random.integers(55, 115))
        photo = np.full((120, 160, 3), random.integers(60, 200), np.uint8)
        top, left = random.integers(0, 121 - side), random.integers(0, 161 - side)
        small = cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA) * random.uniform(0.6, 1.2)
        photo[top : top + side, left : left + side] = small.clip(0, 255)
        path = folder / f"{number:06d}.jpg"
        Image.fromarray(photo).save(path, quality=88)
        if number % 50 == 49:  # cut off, so that errors are compared as well
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
    """Kill one process of an actor of this process's Ray with SIGKILL, and return its id."""
    for process in psutil.process_iter(["cmdline", "pid"]):
        with suppress(psutil.Error):
            ours = os.getpid() in {parent.pid for parent in process.parents()}  # others may run Ray on this machine
            if ours and any("ray::MapWorker" in part for part in process.info["cmdline"] or []):
                process.kill()
                return [process.pid]
    return []


def main(photos: int = 20_000) -> None:
    """Measure and print."""
    import ray
    from ray.cluster_utils import Cluster

    job, killed = Job.of("photos", load_model()), list[int]()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = cluster.add_node(num_cpus=1)
    breaks = {0.4: lambda: killed.extend(kill_a_worker()), 0.7: lambda: cluster.remove_node(second)}
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "photos", {name: str(Path(folder) / name) for name in ("ray", "local")}
        write_photos(source, photos)
        try:
            cluster.connect()
            engine = Interrupts(RayEngine(), breaks)
            on_ray, again = (run_archive([str(source)], out["ray"], job=job, engine=engine) for _ in range(2))
        finally:
            ray.shutdown()
            cluster.shutdown()
        alone = run_archive([str(source)], out["local"], job=job, engine=LocalEngine())
        pd.testing.assert_frame_equal(*map(pd.read_parquet, out.values()), check_exact=True)
    summaries = {"on_ray": on_ray, "again": again, "alone": alone}
    numbers = {"photos": photos, "killed_workers": len(killed), "killed_nodes": int(not engine.breaks)}
    print(json.dumps(numbers | {name: summary._asdict() for name, summary in summaries.items()}, indent=1))


if __name__ == "__main__":
    typer.run(main)
