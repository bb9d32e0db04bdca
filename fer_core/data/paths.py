"""Where FER Lab keeps what belongs to the user: datasets, caches, runs and uploads, never the source tree."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from fer_core.types import FerError

APP_NAME = "fer-lab"


def home() -> Path:
    """Return the user's data folder, created on demand.

    The environment variable `FER_HOME` names another one; otherwise it is what the system prescribes (on Linux
    `~/.local/share/fer-lab`).

    Raises:
        FerError: the folder cannot be created.
    """
    named = os.environ.get("FER_HOME")
    return _created(Path(named).expanduser() if named else Path(platformdirs.user_data_dir(APP_NAME, appauthor=False)))


def cache_folder(name: str) -> Path:
    """Return the folder `cache/<name>` under `home()`, created on demand; deleting it loses only time.

    Raises:
        FerError: the folder cannot be created.
    """
    return _created(home() / "cache" / name)


def _created(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FerError(
            f"FER Lab's data folder {folder} cannot be created ({error.strerror}). "
            f"Set the environment variable FER_HOME to a folder that can be written."
        ) from error
    return folder
