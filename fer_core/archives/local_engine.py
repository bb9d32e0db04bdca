"""Do the tasks of an archive on this machine: a few by threads, many by processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

from fer_core.archives.job import Job
from fer_core.archives.plan import Task
from fer_core.archives.worker import Done, Worker
from fer_core.threads import in_parallel
from fer_core.types import FerError

MOST_THREADS: Final = 4
"""Workers up to this number are threads of this process: they share one model. More would wait for Python's lock."""

MOST_BREAKS: Final = 3
"""How often processes may die in a row without that a task is done."""

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
            FerError: a result cannot be written, or processes die again and again.
        """
        if min(self.workers, len(tasks)) <= MOST_THREADS:
            yield from self._by_threads(job, out, tasks)
        else:
            yield from self._by_processes(job, out, tasks)

    def close(self) -> None:
        """Nothing is left to close."""

    def _by_threads(self, job: Job, out: str, tasks: Sequence[Task]) -> Iterator[Done]:
        stop = threading.Event()

        def check() -> None:
            if stop.is_set():
                raise _Stopped

        worker = Worker(job, out, check=check)
        try:
            yield from in_parallel(worker.do, tasks, min(self.workers, len(tasks)))
        finally:  # also after Ctrl-C
            stop.set()

    def _by_processes(self, job: Job, out: str, tasks: Sequence[Task]) -> Iterator[Done]:
        with tempfile.NamedTemporaryFile(prefix="fer-archive-", suffix=".pickle") as file:
            # A job holds a model. Through the pipe to a new process it would block if that process dies.
            pickle.dump(job, file)
            file.flush()
            yield from self._by_processes_with(file.name, out, tasks)

    def _by_processes_with(self, job: str, out: str, tasks: Sequence[Task]) -> Iterator[Done]:
        waiting, breaks = {task.name: task for task in tasks}, 0
        while waiting:
            context = multiprocessing.get_context("spawn")
            count = min(self.workers, len(waiting))
            pool = ProcessPoolExecutor(count, context, initializer=_start, initargs=(job, out))
            try:
                for future in as_completed([pool.submit(_do, task) for task in waiting.values()]):
                    done = future.result()
                    del waiting[done.name]
                    breaks = 0
                    yield done
            except BrokenProcessPool as error:  # a process was killed; others do what is missing
                breaks += 1
                if breaks == MOST_BREAKS:
                    raise FerError(
                        f"Processes died {MOST_BREAKS} times in a row. One of these files may end its process, or "
                        f"memory is short: try fewer --workers. Received: {min(waiting)} and others"
                    ) from error
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _start(job: str, out: str) -> None:
    global _worker  # noqa: PLW0603 (a worker process makes it once)
    with Path(job).open("rb") as file:
        _worker = Worker(pickle.load(file), out)


def _do(task: Task) -> Done:
    assert _worker is not None
    return _worker.do(task)
