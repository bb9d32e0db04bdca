"""Fetching FER2013 from Kaggle, once, into the user's data folder."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Final

from fer_core.data.fer2013 import DatasetMissing, find_fer2013
from fer_core.data.folder_reader import is_image_edition
from fer_core.files import home, whole_folder
from fer_core.types import FerError

KAGGLE_DATASET: Final = "msambare/fer2013"
"""The image-folder edition: `train/<class>/*.jpg`, `test/<class>/*.jpg`, about 60 MB."""

_BY_HAND: Final = (
    f"Download kaggle.com/datasets/{KAGGLE_DATASET} in a browser and set FER2013_PATH to the zip or folder instead."
)


def download_fer2013(force: bool = False) -> Path:
    """Download FER2013's image-folder edition with kagglehub into `home()/fer2013`.

    Nothing is fetched if a dataset is there already. It is moved into place only when it is complete.

    Args:
        force: fetch it again all the same, and replace the image folders that are there.

    Returns:
        `home()/fer2013`.

    Raises:
        FerError: the network is closed, Kaggle asks for credentials, or what came is not the dataset.
    """
    target = home() / "fer2013"
    if not force and _is_there(target):
        return target
    try:
        import kagglehub
    except ImportError as error:
        raise FerError(
            f"FER2013 cannot be downloaded without kagglehub: `pip install kagglehub`. {_BY_HAND}"
        ) from error
    try:
        with tempfile.TemporaryDirectory(dir=home(), prefix=".download-") as staging:
            folder = Path(kagglehub.dataset_download(KAGGLE_DATASET, force_download=force, output_dir=staging))
            if not is_image_edition(folder):
                raise FerError(f"Kaggle sent something else than FER2013's train/ and test/ folders. {_BY_HAND}")
            target.mkdir(exist_ok=True)
            for name in ("train", "test"):
                with whole_folder(target / name) as work:
                    shutil.copytree(folder / name, work, dirs_exist_ok=True)
    except FerError:
        raise
    except Exception as error:  # kagglehub passes on whatever its HTTP and file layers raise
        raise FerError(f"FER2013 could not be downloaded from Kaggle: {_reason(error)}. {_BY_HAND}") from error
    return target


def _is_there(target: Path) -> bool:
    try:
        find_fer2013(target)
    except DatasetMissing:
        return False
    return True


def _reason(error: Exception) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(getattr(error, "response", None), "status_code", None)
    if kinds & {"UnauthenticatedError", "CredentialError"} or status in (401, 403):
        return "it asks for credentials (run `python -c 'import kagglehub; kagglehub.login()'` first)"
    if kinds & {"ConnectionError", "Timeout", "TimeoutError", "ConnectError", "TimeoutException"}:
        return "the network is closed or Kaggle does not answer"
    return f"{type(error).__name__}" + (f", HTTP status {status}" if status else "")
