"""Where the tasks of an archive are done: by processes of this machine, or by Ray Data on a cluster."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import socket
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import fer_core
from fer_core.archives.worker import Done, Job, Task, Worker
from fer_core.threads import cores
from fer_core.types import FerError, reason

MISSING: Final = (
    "The engine ray needs Ray, which is not installed. Run make ray or pip install -r requirements-ray.txt."
)

RETRIES: Final = 5
"""How often a task is done anew when its worker or its machine dies, before the command gives up."""

SECONDS_TO_CONNECT: Final = 10


class Engine(Protocol):
    """Does tasks, in any order."""

    def run(self, job: Job, out: str, tasks: Sequence[Task]) -> Iterator[Done]:
        """Yield each task when it is done."""


class LocalEngine:
    """Do tasks by processes of this machine; a single worker is this process.

    Args:
        workers: how many; by default one for each core.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = cores() if workers is None else workers

    def run(self, job: Job, out: str, tasks: Sequence[Task]) -> Iterator[Done]:
        """Yield each task when it is done, in any order. Whoever stops early does not wait for the others.

        Raises:
            FerError: a result cannot be written, or a process died.
        """
        count = min(self.workers, len(tasks))
        if count == 1:
            yield from map(Worker(job, out).do, tasks)
            return
        others = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"))
        with tempfile.TemporaryDirectory(prefix="fer-archive-") as folder:
            file = Path(folder) / "job.pickle"  # through the pipe to a process that dies, so much would block
            file.write_bytes(pickle.dumps(job))
            try:
                for future in as_completed([pool.submit(_do, file, out, task) for task in tasks]):
                    yield future.result()
            except BrokenProcessPool as error:
                raise FerError(
                    "A process died, for instance because memory is short. Run the same command again to continue; if "
                    "it dies again, try fewer --workers."
                ) from error
            finally:  # also after Ctrl-C
                pool.shutdown(wait=False, cancel_futures=True)
                for process in set(multiprocessing.active_children()) - others:
                    process.terminate()

    def close(self) -> None:
        """Nothing is left to close."""


@cache
def _worker(job: Path, out: str) -> Worker:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command ends its processes itself
    return Worker(pickle.loads(job.read_bytes()), out)


def _do(job: Path, out: str, task: Task) -> Done:
    return _worker(job, out).do(task)


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
            _connect(address, workers)
        cpus = max(int(ray.cluster_resources().get("CPU", 1)), 1)
        self.workers = cpus if workers is None else workers

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
                _RayWorker,
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


def _connect(address: str | None, workers: int | None) -> None:
    """Connect to a cluster, whose machines get this version of the package, or start a Ray on this machine."""
    import ray

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if not address:
            ray.init("local", num_cpus=workers, include_dashboard=False, **options)
            return
        if address != "auto":  # where nothing answers, Ray would try for minutes
            host, _, port = address.removeprefix("ray://").rpartition(":")
            socket.create_connection((host, int(port)), timeout=SECONDS_TO_CONNECT).close()
        ray.init(address, runtime_env={"py_modules": [str(Path(fer_core.__file__).parent)]}, **options)
    except (OSError, RuntimeError, ValueError) as error:
        raise FerError(
            f"There is no Ray cluster at this address ({reason(error)}). Expected auto, "
            f"HOST:6379 or ray://HOST:10001. Received: {address}"
        ) from error


class _RayWorker:
    """A `Worker` in a process of its own: Ray Data calls it with a task as a row, and gets a `Done` as a row."""

    def __init__(self, job: Job, out: str) -> None:
        import ray

        node = ray.get_runtime_context().get_node_id()[:6]
        self._worker = Worker(job, out, machine=f"{socket.gethostname()} (node {node})")

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return self._worker.do(Task(row["name"], tuple(map(os.fsdecode, row["files"]))))._asdict()
