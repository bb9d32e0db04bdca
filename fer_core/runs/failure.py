"""Why a run failed, in one sentence for people; the traceback is for the log."""

from __future__ import annotations

import errno

from fer_core.types import FerError

DISK_FULL = "The disk is full. Make room on it, then resume the run: it goes on at its last finished epoch."
NO_MEMORY = (
    "The memory of this computer is not enough. Choose fewer faces, a smaller batch or a smaller model, or close other "
    "programs and resume the run."
)
UNEXPECTED = "Something unexpected went wrong ({kind}). The run's log has the details; resume it to try again."

_MEMORY_KINDS = ("ResourceExhaustedError", "OutOfMemoryError", "XlaRuntimeError")


def sentence_for(error: BaseException) -> str:
    """Return what to tell people about an error that ended a run."""
    if isinstance(error, FerError):
        return str(error)
    if isinstance(error, MemoryError) or type(error).__name__ in _MEMORY_KINDS:
        return NO_MEMORY
    if isinstance(error, OSError) and (
        error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
        or "No space left" in str(error)  # HDF5 wraps the system's error
    ):
        return DISK_FULL
    return UNEXPECTED.format(kind=type(error).__name__)
