"""Tell which row of `fer2013.csv` a face is from its pixels, so that every edition of FER2013 has row numbers.

Kaggle's edition with image folders sorts the faces in another way, and JPEG changes their pixels slightly. A face is
therefore recognized by the signs of its low frequencies, a perceptual hash (Zauner, "Implementation and Benchmarking of
Perceptual Image Hash Functions", 2010). Of 3,000 faces of FER2013 saved as JPEG with quality 50, none differed from its
signature in more than 12 of the 128 bits, while the next other face differs in 35 bits in the median. The file
beside this module holds these hashes and row numbers only, no pixels, labels or votes.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

BITS: Final = 128
MAX_DIFFERENT_BITS: Final = 12
FILE: Final = Path(__file__).with_name("fer2013_rows.npz")

_SIDE: Final = 12  # the lowest 12 x 12 frequencies, without the mean and the 15 last ones
_AT_ONCE: Final = 2048


class KnownRows(NamedTuple):
    """What is known of the rows of `fer2013.csv`.

    Attributes:
        signatures: `(35887, 16)` uint8, see `signatures`.
        holdout: `(n,)` int64, the rows that are held out of Training, see `fer_core.data.holdout`.
    """

    signatures: NDArray[np.uint8]
    holdout: NDArray[np.int64]


@cache
def known_rows() -> KnownRows:
    """Read the file that comes with this package."""
    with np.load(FILE, allow_pickle=False) as arrays:
        return KnownRows(arrays["signatures"], arrays["holdout"].astype(np.int64))


def signatures(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the perceptual hashes of faces.

    Args:
        images: `(n, 48, 48)` uint8 gray.

    Returns:
        `(n, 16)` uint8, 128 bits each: whether a coefficient of the discrete cosine transform is above 0.
    """
    from scipy.fft import dctn

    found = np.empty((len(images), BITS // 8), np.uint8)
    for start in range(0, len(images), _AT_ONCE):
        waves = dctn(images[start : start + _AT_ONCE].astype(np.float32), axes=(1, 2))
        low = waves[:, :_SIDE, :_SIDE].reshape(-1, _SIDE * _SIDE)[:, 1 : BITS + 1]
        found[start : start + _AT_ONCE] = np.packbits(low > 0, axis=1)
    return found


def find_rows(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the row of each face in `fer2013.csv`, `(n,)`; -1 for a face that is not in it.

    Some faces occur several times in FER2013 with the same or nearly the same pixels. Faces that cannot be told apart
    by their signatures get the rows with this signature in order.

    Args:
        images: `(n, 48, 48)` uint8 gray.
    """
    known = _as_signs(known_rows().signatures)
    given = _as_signs(signatures(images))
    rows = np.full(len(images), -1)
    for start in range(0, len(images), _AT_ONCE):
        agreement = given[start : start + _AT_ONCE] @ known.T
        nearest = agreement.argmax(axis=1)
        near = agreement[np.arange(len(nearest)), nearest] >= BITS - 2 * MAX_DIFFERENT_BITS
        rows[start : start + _AT_ONCE] = np.where(near, nearest, -1)
    return _one_row_each(rows)


def is_row(images: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether each face `(n, 48, 48)` looks like its row of `fer2013.csv`, `(n,)`; rows are from 0 on."""
    known = known_rows().signatures
    inside = rows < len(known)
    different = np.bitwise_count(signatures(images) ^ known[np.where(inside, rows, 0)]).sum(axis=1)
    return inside & (different <= MAX_DIFFERENT_BITS)


def _as_signs(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return bits as -1 and 1, so that a product of two signatures is 128 minus twice the different bits."""
    return np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1


def _one_row_each(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give faces with the same row the rows with the same signature in order, as far as there are any."""
    packed = known_rows().signatures
    _, groups = np.unique(packed, axis=0, return_inverse=True)
    groups = groups.reshape(-1)
    order = np.argsort(groups, kind="stable")
    first = np.searchsorted(groups[order], np.arange(groups.max() + 1))
    size = np.bincount(groups)
    taken: dict[int, int] = {}
    result = rows.copy()
    for place in np.flatnonzero(rows >= 0):
        group = int(groups[rows[place]])
        count = taken.get(group, 0)
        result[place] = order[first[group] + min(count, size[group] - 1)]
        taken[group] = count + 1
    return result
