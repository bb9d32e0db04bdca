"""A parsed FER2013 kept as arrays, so that only the first load takes seconds."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from typing import Final

import numpy as np

from fer_core.data.dataset import SPLITS, FerDataset, usage_codes
from fer_core.files import cache_folder, whole_file
from fer_core.types import FerError

_VERSION: Final = 1  # raise it when the readers' results change

logger = logging.getLogger(__name__)


def source_signature(source: Path) -> str:
    """Return what changes whenever the source does: size and time of a file, or of all files in a folder."""
    if source.is_file():
        stat = source.stat()
        return f"{_VERSION} {stat.st_size} {stat.st_mtime_ns}"
    count = size = newest = 0
    for folder, _, _ in os.walk(source):
        with os.scandir(folder) as entries:
            for entry in entries:
                stat = entry.stat()
                count, size, newest = count + 1, size + stat.st_size, max(newest, stat.st_mtime_ns)
    return f"{_VERSION} {count} {size} {newest}"


def read_cache(source: Path, signature: str) -> FerDataset | None:
    """Return what an earlier `write_cache` kept of this source and signature; None if nothing, or damaged."""
    try:
        path = _cache_path(source)
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as arrays:
            if str(arrays["signature"]) != signature:
                return None
            usage = np.array(SPLITS)[arrays["usage"]]
            return FerDataset(arrays["images"], arrays["labels"], usage, arrays["rows"])
    except Exception as error:  # whatever is wrong with a cache, the source is still there
        logger.warning("The cache of %s cannot be used (%s) and will be built again.", source, error)
        return None


def write_cache(source: Path, signature: str, dataset: FerDataset) -> None:
    """Keep the dataset for `read_cache`, in one step: readers see the old file or the new one, never half of it.

    A full or read-only disk costs only the cache; the log says so.
    """
    try:
        with whole_file(_cache_path(source)) as partial:
            np.savez(
                partial,
                signature=np.array(signature),
                images=dataset.images,
                labels=dataset.labels,
                usage=usage_codes(dataset.usage),
                rows=dataset.rows,
            )
    except (OSError, FerError) as error:
        logger.warning("FER2013 could not be cached (%s); it will be parsed again next time.", error)


def _cache_path(source: Path) -> Path:
    key = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:16]
    return cache_folder("fer2013") / f"{key}.npz"
