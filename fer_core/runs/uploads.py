"""A zip that was handed to a page, kept as a file until runs have read it."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Final

from fer_core.data import home
from fer_core.data.archive import MAX_BYTES
from fer_core.types import FerError

UPLOADS: Final = "uploads"


def keep_upload(name: str, content: bytes) -> str:
    """Keep an uploaded zip under `home()/uploads`, by its content: the same zip is kept only once.

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
    if target.is_file():
        return str(target)
    partial: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".partial-", delete=False) as stream:
            partial = Path(stream.name)
            stream.write(content)
        partial.replace(target)
    except OSError as error:
        if partial is not None:
            partial.unlink(missing_ok=True)
        raise FerError(f"{name[:80]} cannot be kept ({error.strerror}). Make room on the disk.") from error
    return str(target)
