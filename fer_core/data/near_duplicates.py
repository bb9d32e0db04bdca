"""Pairs of faces in FER2013 that are the same picture, with the same pixels or nearly so.

The file beside this module lists them by row number, without pixels, so that models can be judged without them where
FER2013 is not installed. `fer-lab data duplicates --save` makes it again.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_core.data.dataset import FACE_SIZE, FaceDataset
from fer_core.files import whole_file
from fer_core.types import FerError

LEAST: Final = 0.9
"""Correlation of the pixels from which two faces count as nearly the same picture."""

FILE: Final = Path(__file__).with_name("near_duplicates.npz")

_AT_ONCE: Final = 1024  # faces


class SamePicture(NamedTuple):
    """Pairs of faces whose pixels correlate with at least `LEAST`."""

    pairs: NDArray[np.int64]  # `(m, 2)`, the two faces; the first number is the smaller one
    correlation: NDArray[np.float32]  # `(m,)`, Pearson's correlation of the 2,304 pixels
    exact: NDArray[np.bool_]  # `(m,)`, whether all pixels are equal

    def partners(self, faces: NDArray[np.int64], others: NDArray[np.int64], exact: bool) -> NDArray[np.bool_]:
        """Return for each face, `(n,)`, whether one of the others `(k,)` is the same picture, all numbered as `pairs`.

        With `exact`, only pairs with equal pixels count.
        """
        chosen = self.pairs[self.exact] if exact else self.pairs
        both = np.concatenate([chosen, chosen[:, ::-1]])
        return np.isin(faces, both[np.isin(both[:, 1], others), 0])


def find_same_pictures(images: NDArray[np.uint8]) -> SamePicture:
    """Compare every face `(n, 48, 48)` uint8 with every other one; a minute for all of FER2013 on two cores.

    The pairs are numbered by place in `images`.
    """
    flat = images.reshape(len(images), FACE_SIZE**2).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    blank = np.flatnonzero(~flat.any(axis=1))  # pictures of one gray, which correlate with nothing
    flat[blank, images[blank, 0, 0]] = 1  # alike if the gray is the same
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    pairs, strengths = [np.empty((0, 2), np.int64)], [np.empty(0, np.float32)]
    for start in range(0, len(flat), _AT_ONCE):
        block = flat[start : start + _AT_ONCE] @ flat[start:].T
        first, second = np.nonzero(np.triu(block >= LEAST, k=1))
        pairs.append(np.column_stack([first, second]) + start)
        strengths.append(block[first, second])
    found = np.concatenate(pairs)
    exact = (images[found[:, 0]] == images[found[:, 1]]).all(axis=(1, 2))
    return SamePicture(found, np.concatenate(strengths), exact)


@cache
def known_same_pictures() -> SamePicture:
    """Return the pairs in all of FER2013, by row in `fer2013.csv`, from the file that comes with this package."""
    with np.load(FILE, allow_pickle=False) as arrays:
        return SamePicture(arrays["pairs"].astype(np.int64), arrays["correlation"].astype(np.float32), arrays["exact"])


def same_pictures_by_row(dataset: FaceDataset, save_to: Path | None = None) -> SamePicture:
    """Find the pairs in FER2013, numbered by row, and write them if asked; raise a `FerError` if a row is unknown."""
    if (dataset.rows < 0).any():
        raise FerError("Expected FER2013 with all its rows. Received: faces of unknown row")
    found = find_same_pictures(dataset.images)
    found = found._replace(pairs=np.sort(dataset.rows[found.pairs], axis=1))
    if save_to is not None:
        correlation = found.correlation.astype(np.float16)
        with whole_file(save_to) as partial, partial.open("wb") as file:
            np.savez_compressed(file, pairs=found.pairs.astype(np.int32), correlation=correlation, exact=found.exact)
    return found
