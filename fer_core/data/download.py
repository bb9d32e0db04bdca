"""Download FER2013 from Kaggle and FER+'s votes from GitHub into the user's data folder."""

from __future__ import annotations

import http.client
import shutil
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Final

from fer_core.data.fer2013 import (
    VOTES_NAMES,
    DatasetMissing,
    find_fer2013,
    find_ferplus,
    is_image_edition,
    load_ferplus,
)
from fer_core.files import created, home, whole_file, whole_folder
from fer_core.types import FerError, reason
from fer_core.visitors import TemporaryFolder

KAGGLE_DATASET: Final = "msambare/fer2013"
"""The edition with image folders: `train/<class>/*.jpg`, `test/<class>/*.jpg`, about 60 MB."""

VOTES_URL: Final = "https://raw.githubusercontent.com/microsoft/FERPlus/master/fer2013new.csv"
"""FER+'s table of votes (MIT licence), 1.6 MB."""

_VOTES_BY_HAND: Final = "Download fer2013new.csv from github.com/microsoft/FERPlus and set FERPLUS_PATH to it instead."
_BY_HAND: Final = (
    f"Download kaggle.com/datasets/{KAGGLE_DATASET} in a browser and set FER2013_PATH to the zip or folder instead."
)


def download_fer2013() -> Path:
    """Download FER2013 with kagglehub to `home()/fer2013`, in the edition with image folders, and return where it is.

    Nothing is downloaded if the dataset is already there or `FER2013_PATH` names it. A download that fails, for want of
    a network or credentials, leaves nothing behind and raises a `FerError`.
    """
    target = home() / "fer2013"
    for place in (None, target):  # where `load_fer2013` looks for it first
        try:
            return find_fer2013(place)
        except DatasetMissing:
            continue
    import kagglehub

    try:
        with closing(TemporaryFolder(shared=True)) as staging:
            folder = Path(kagglehub.dataset_download(KAGGLE_DATASET, output_dir=str(staging.path)))
            if not is_image_edition(folder):
                raise FerError(f"Kaggle sent something other than FER2013's train/ and test/ folders. {_BY_HAND}")
            created(target)
            for name in ("train", "test"):
                with whole_folder(target / name) as work:
                    shutil.copytree(folder / name, work, dirs_exist_ok=True)
    except FerError:
        raise
    except Exception as error:  # kagglehub passes on the errors of its HTTP and file layers
        raise FerError(f"FER2013 could not be downloaded from Kaggle: {_reason(error)}. {_BY_HAND}") from error
    return target


def download_ferplus() -> Path:
    """Download FER+'s votes to `home()/fer2013`, unless they are there or in `FERPLUS_PATH`; return their path."""
    table = find_ferplus()
    if table is not None:
        return table
    target = home() / "fer2013" / VOTES_NAMES[-1]
    created(target.parent)
    try:
        with urllib.request.urlopen(VOTES_URL, timeout=20) as response:
            content = response.read(20_000_000)
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


def _reason(error: Exception) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(getattr(error, "response", None), "status_code", None)
    if kinds & {"UnauthenticatedError", "CredentialError"} or status in (401, 403):
        return "it asks for credentials (run `python -c 'import kagglehub; kagglehub.login()'` first)"
    if kinds & {"ConnectionError", "Timeout", "TimeoutError", "ConnectError", "TimeoutException"}:
        return "there is no network, or Kaggle does not answer"
    return f"{type(error).__name__}" + (f", HTTP status {status}" if status else "")
