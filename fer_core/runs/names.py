"""Names that people give and that become folders: kept short, plain and inside their place."""

from __future__ import annotations

import re
from typing import Final

from fer_core.types import FerError

MAX_LENGTH: Final = 60
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)")  # no file may be called so on Windows


def checked_name(name: str, what: str) -> str:
    """Return `name` if it can be a folder's name on any system.

    Args:
        name: lower-case letters, digits, `_` and `-`, at most 60, the first one a letter or digit.
        what: what is being named, for the message.

    Raises:
        FerError: it cannot.
    """
    if len(name) > MAX_LENGTH or not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise FerError(
            f"{what} cannot be called so. Expected lower-case letters, digits, _ and -, at most {MAX_LENGTH}, for "
            f"example my_first_model. Received: {name[: MAX_LENGTH + 1]!r}"
        )
    return name


def name_from(title: str) -> str:
    """Return a name that `checked_name` takes, made of a title's letters and digits."""
    plain = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:40].strip("_")
    return plain if plain and not _RESERVED.fullmatch(plain) else f"my_{plain or 'model'}"
