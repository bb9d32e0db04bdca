"""Do the tasks of an archive on a Ray cluster, or with a Ray of its own on this machine."""

from __future__ import annotations

import logging
import os
import socket
import warnings
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import fer_core
from fer_core.archives.job import Job
from fer_core.archives.plan import Task
from fer_core.archives.worker import Done, Worker
from fer_core.types import FerError, reason

MISSING: Final = (
    "The engine ray needs Ray, which is not installed. Run make ray or pip install -r requirements-ray.txt."
)

RETRIES: Final = 5
"""How often a task is done anew when its worker or its machine dies, before the command gives up."""

ANSWER: Final = 10  # seconds to wait for a cluster


def ray_is_installed() -> bool:
    """Tell whether Ray is installed. A folder with the name `ray`, as Ray leaves in `/tmp`, does not count."""
    spec = find_spec("ray")
    return spec is not None and spec.origin is not None


class RayWorker:
    """A `Worker` in a process of its own: Ray Data calls it with a task as a row, and gets a `Done` as a row."""

    def __init__(self, job: Job, out: str) -> None:
        import ray

        node = ray.get_runtime_context().get_node_id()[:6]
        self._worker = Worker(job, out, machine=f"{socket.gethostname()} (node {node})")

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return self._worker.do(Task(row["name"], tuple(map(os.fsdecode, row["files"]))))._asdict()


class RayEngine:
    """Do tasks by Ray Data: each actor holds one classifier, and takes tasks as it becomes free.

    When a worker or a machine dies, another one does its tasks.

    Args:
        address: of a cluster, for instance `auto` or `ray://host:10001`. By default, the connection that this process
            has already, or a Ray of its own on this machine, which ends with `close`.
        workers: number of actors; by default one for each core of the cluster.

    Raises:
        FerError: Ray is not installed, or there is no cluster at the address.
    """

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report its use to its makers
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise FerError(MISSING) from error
        self._owns = not ray.is_initialized()
        if self._owns:
            quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
            try:
                if address:
                    if address != "auto":  # where nothing answers, Ray would try for minutes
                        host, _, port = address.removeprefix("ray://").rpartition(":")
                        socket.create_connection((host, int(port)), timeout=ANSWER).close()
                    # The machines of the cluster get this version of the package.
                    package = str(Path(fer_core.__file__).parent)
                    ray.init(address, runtime_env={"py_modules": [package]}, **quiet)
                else:
                    ray.init("local", num_cpus=workers, include_dashboard=False, **quiet)
            except (OSError, RuntimeError, ValueError) as error:
                raise FerError(
                    f"There is no Ray cluster at this address ({reason(error)}). Expected auto, "
                    f"HOST:6379 or ray://HOST:10001. Received: {address}"
                ) from error
        cores = max(int(ray.cluster_resources().get("CPU", 1)), 1)
        self.workers = cores if workers is None else workers

    def run(self, job: Job, out: str, tasks: Sequence[Task]) -> Iterator[Done]:
        """Yield each task when it is done, in any order.

        Raises:
            FerError: a task failed, also after being tried anew.
        """
        import ray

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        # Ray's rows hold only text that is UTF-8.
        rows = [{"name": task.name, "files": [os.fsencode(file) for file in task.files]} for task in tasks]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Ray 2.60 has no other way to limit how often a task is tried
            done = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
                RayWorker,
                fn_constructor_args=(job, out),
                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=min(self.workers, len(rows))),
                num_cpus=1,
                max_task_retries=RETRIES,
            )
        try:
            for row in done.iter_rows():
                yield Done(**row)
        except ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, FerError):
                raise FerError(str(cause)) from error
            raise FerError(
                f"Workers of the Ray cluster died or failed again and again ({type(error).__name__}). Run the command "
                f"again to continue. Received: {(str(error).splitlines() or [''])[-1][:300]}"
            ) from error

    def close(self) -> None:
        """End the connection that this engine opened."""
        import ray

        if self._owns:
            ray.shutdown()
