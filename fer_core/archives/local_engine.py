"""Do the tasks of an archive on this machine: a few by threads, many by processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

from fer_core.archives.job import Job
from fer_core.archives.plan import Task
from fer_core.archives.worker import Done, Worker
from fer_core.types import FerError

MOST_THREADS: Final = 4
"""Workers up to this number are threads of this process: they share one model. More would wait for Python's lock."""

_worker: Worker | None = None  # of a worker process


class _Stopped(BaseException):
    """Ends a thread's work when nobody waits for it any more."""


class LocalEngine:
    """Do tasks by threads, or by one process for each core if there are many.

    Args:
        workers: how many; by default one for each core.
    """

    def __init__(self, workers: int | None = None) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.workers = cores if workers is None else workers

    def run(self, job: Job, out: str, tasks: Sequence[Task]) -> Iterator[Done]:
        """Yield each task when it is done, in any order.

        Raises:
            FerError: a result cannot be written, or a process died.
        """
        count, stop = min(self.workers, len(tasks)), threading.Event()

        def check() -> None:
            if stop.is_set():
                raise _Stopped

        with tempfile.TemporaryDirectory(prefix="fer-archive-") as folder:
            do: Callable[[Task], Done]
            pool: Executor
            if count <= MOST_THREADS:
                do, pool = Worker(job, out, check=check).do, ThreadPoolExecutor(count)
            else:  # a job holds a model: through the pipe to a new process it would block if that process dies
                file = Path(folder) / "job.pickle"
                file.write_bytes(pickle.dumps(job))
                context = multiprocessing.get_context("spawn")
                do, pool = _do, ProcessPoolExecutor(count, context, initializer=_start, initargs=(file, out))
            try:
                for future in as_completed([pool.submit(do, task) for task in tasks]):
                    yield future.result()
            except BrokenProcessPool as error:
                raise FerError(
                    "A process died, for instance because memory is short. Run the same command again to continue; if "
                    "it dies again, try fewer --workers."
                ) from error
            finally:  # also after Ctrl-C
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Nothing is left to close."""


def _start(job: Path, out: str) -> None:
    global _worker  # noqa: PLW0603 (a worker process makes it once)
    _worker = Worker(pickle.loads(job.read_bytes()), out)


def _do(task: Task) -> Done:
    assert _worker is not None
    return _worker.do(task)
