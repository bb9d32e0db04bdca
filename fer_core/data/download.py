"""Download FER2013 from Kaggle and FER+'s votes from GitHub into the user's data folder."""

from __future__ import annotations

import http.client
import shutil
import tempfile
import urllib.request
from pathlib import Path
from typing import Final

from fer_core.data.fer2013 import DatasetMissing, find_fer2013, is_image_edition
from fer_core.data.ferplus import FILE_NAMES, find_ferplus, load_ferplus
from fer_core.files import home, whole_file, whole_folder
from fer_core.types import FerError, reason

KAGGLE_DATASET: Final = "msambare/fer2013"
"""The edition with image folders: `train/<class>/*.jpg`, `test/<class>/*.jpg`, about 60 MB."""

VOTES_URL: Final = "https://raw.githubusercontent.com/microsoft/FERPlus/master/fer2013new.csv"
"""FER+'s table of votes (MIT licence), 1.6 MB."""

_TIMEOUT_SECONDS: Final = 20.0
_MAX_BYTES: Final = 20_000_000
_VOTES_BY_HAND: Final = "Download fer2013new.csv from github.com/microsoft/FERPlus and set FERPLUS_PATH to it instead."
_BY_HAND: Final = (
    f"Download kaggle.com/datasets/{KAGGLE_DATASET} in a browser and set FER2013_PATH to the zip or folder instead."
)


def download_fer2013() -> Path:
    """Download FER2013 with kagglehub to `home()/fer2013`, in the edition with image folders.

    Nothing is downloaded if the dataset is already there or `FER2013_PATH` names it. An incomplete download leaves
    nothing behind.

    Returns:
        The CSV, zip or image folder.

    Raises:
        FerError: there is no network, Kaggle asks for credentials, or the download is not the dataset.
    """
    target = home() / "fer2013"
    if (found := _found(None) or _found(target)) is not None:
        return found
    try:
        import kagglehub
    except ImportError as error:
        raise FerError(
            f"FER2013 cannot be downloaded without kagglehub: `pip install kagglehub`. {_BY_HAND}"
        ) from error
    try:
        with tempfile.TemporaryDirectory(dir=home(), prefix=".download-") as staging:
            folder = Path(kagglehub.dataset_download(KAGGLE_DATASET, output_dir=staging))
            if not is_image_edition(folder):
                raise FerError(f"Kaggle sent something other than FER2013's train/ and test/ folders. {_BY_HAND}")
            target.mkdir(exist_ok=True)
            for name in ("train", "test"):
                with whole_folder(target / name) as work:
                    shutil.copytree(folder / name, work, dirs_exist_ok=True)
    except FerError:
        raise
    except Exception as error:  # kagglehub passes on the errors of its HTTP and file layers
        raise FerError(f"FER2013 could not be downloaded from Kaggle: {_reason(error)}. {_BY_HAND}") from error
    return target


def download_ferplus() -> Path:
    """Download FER+'s votes to `home()/fer2013`, unless they are already there or `FERPLUS_PATH` names them.

    Returns:
        The table.

    Raises:
        FerError: there is no network, or GitHub's answer is not the table.
    """
    if (found := find_ferplus()) is not None:
        return found
    target = home() / "fer2013" / FILE_NAMES[-1]
    target.parent.mkdir(exist_ok=True)
    try:
        with urllib.request.urlopen(VOTES_URL, timeout=_TIMEOUT_SECONDS) as response:
            content = response.read(_MAX_BYTES)
        with whole_file(target) as partial:
            partial.write_bytes(content)
            load_ferplus(partial)
    except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
        raise FerError(
            f"FER+'s votes could not be downloaded from GitHub ({reason(error)}). {_VOTES_BY_HAND}"
        ) from error
    except FerError as error:
        raise FerError(f"GitHub's answer was not FER+'s table of votes. {_VOTES_BY_HAND} {error}") from error
    return target


def _found(place: Path | None) -> Path | None:
    """Return FER2013 in this place; with None, where `load_fer2013` looks for it. None if it is not there."""
    try:
        return find_fer2013(place)
    except DatasetMissing:
        return None


def _reason(error: Exception) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(getattr(error, "response", None), "status_code", None)
    if kinds & {"UnauthenticatedError", "CredentialError"} or status in (401, 403):
        return "it asks for credentials (run `python -c 'import kagglehub; kagglehub.login()'` first)"
    if kinds & {"ConnectionError", "Timeout", "TimeoutError", "ConnectError", "TimeoutException"}:
        return "there is no network, or Kaggle does not answer"
    return f"{type(error).__name__}" + (f", HTTP status {status}" if status else "")
