"""A zip that was handed to a page, kept as a file as long as runs may read it."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import Final

from fer_core.data.archive import MAX_BYTES
from fer_core.files import home, whole_file
from fer_core.runs.folder import list_runs
from fer_core.types import FerError

UPLOADS: Final = "uploads"
KEPT_DAYS: Final = 30
"""So long after it was last handed in, a zip that no run names is deleted, with what was unpacked of it."""


def keep_upload(name: str, content: bytes) -> str:
    """Keep an uploaded zip under `home()/uploads`, by its content: the same zip is kept only once. Old ones go.

    Args:
        name: what the person called it; its letters and digits stay in the file's name.
        content: its bytes.

    Returns:
        The path, for `DataChoice.path`.

    Raises:
        FerError: it is empty or too large, or the disk is full.
    """
    if not content or len(content) > MAX_BYTES:
        raise FerError(
            f"{name[:80]} is empty or too large. Expected a zip of up to {MAX_BYTES / 1e9:.1f} GB. Received: "
            f"{len(content) / 1e6:,.1f} MB"
        )
    stem = "".join(letter for letter in Path(name).stem if letter.isalnum() or letter in "-_ ")[:40].strip() or "upload"
    target = home() / UPLOADS / "zips" / hashlib.sha256(content).hexdigest()[:16] / f"{stem}.zip"
    _sweep()
    if target.is_file():
        os.utime(target.parent)
        return str(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(target) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise FerError(f"{name[:80]} cannot be kept ({error.strerror}). Make room on the disk.") from error
    return str(target)


def _sweep() -> None:
    """Delete what nobody has handed in for long and no run names."""
    uploads = home() / UPLOADS
    named = {Path(run.plan.data.path).parent.name for run in list_runs()[0]}
    for folder in (uploads / "zips").glob("*"):
        if folder.name not in named and time.time() - folder.stat().st_mtime > KEPT_DAYS * 86_400:
            for old in (folder, uploads / folder.name):
                shutil.rmtree(old, ignore_errors=True)
