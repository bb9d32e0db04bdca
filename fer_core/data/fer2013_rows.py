"""Tell which row of the original `fer2013.csv` a face is, by its pixels, in every edition and order.

Votes, stored predictions, the hold-out, head roll and copies are kept by row numbers. A face is recognized by the signs
of its low frequencies, a perceptual hash (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions",
2010), because the edition with image folders is JPEG, which changes pixels slightly. Of 3,000 faces of FER2013 saved
as JPEG with quality 50, none differed from its signature in more than 12 of the 128 bits, while the next other face
differs in 35 bits in the median. The file beside this module holds these hashes, row numbers and the numbers in FER+'s
picture names; no pixels, labels or votes.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.dataset import FaceDataset

BITS: Final = 128
MAX_DIFFERENT_BITS: Final = 12
FILE: Final = Path(__file__).with_name("fer2013_rows.npz")

TRAINING_ROWS: Final = 28_709  # they come first in `fer2013.csv`
TEST_FACES: Final = 3_589  # of each test split
TEST_STARTS: Final = (TRAINING_ROWS, TRAINING_ROWS + TEST_FACES)
"""The first rows of PublicTest and of PrivateTest."""

_SIDE: Final = 12  # the lowest 12 x 12 frequencies, without the mean and the 15 last ones
_AT_ONCE: Final = 2048


class KnownRows(NamedTuple):
    """What the file that comes with this package holds of the 35,887 rows of `fer2013.csv`."""

    signatures: NDArray[np.uint8]  # `(35887, 16)`, see `signatures`
    twins: NDArray[np.uint16]  # `(35887,)`, see `twins`
    names: NDArray[np.int64]  # `(35887,)`, the number in FER+'s name of the picture; -1 for pictures without a name
    holdout: NDArray[np.int64]  # `(n,)`, the rows that are held out of Training, see `fer_core.data.holdout`


def known_rows() -> KnownRows:
    return _read(FILE)


@cache
def _read(file: Path) -> KnownRows:
    with np.load(file, allow_pickle=False) as arrays:
        behind = arrays["behind"].astype(np.int64)  # row minus number: a few hundred runs, so it packs well
        names = np.where(behind == np.iinfo(np.int16).min, -1, np.arange(len(behind)) - behind)
        return KnownRows(arrays["signatures"], arrays["twins"], names, arrays["holdout"].astype(np.int64))


def signatures(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return perceptual hashes of faces `(n, 48, 48)`: `(n, 16)` uint8, 128 bits each.

    A bit is whether a coefficient of the discrete cosine transform is above 0.
    """
    from scipy.fft import dctn

    hashes = np.empty((len(images), BITS // 8), np.uint8)
    for start in range(0, len(images), _AT_ONCE):
        waves = dctn(images[start : start + _AT_ONCE].astype(np.float32), axes=(1, 2))
        low = waves[:, :_SIDE, :_SIDE].reshape(-1, _SIDE * _SIDE)[:, 1 : BITS + 1]
        hashes[start : start + _AT_ONCE] = np.packbits(low > 0, axis=1)
    return hashes


def twins(dataset: FaceDataset) -> NDArray[np.uint16]:
    """Return a checksum of pixels, label and split, `(n,)`: it tells apart faces with the same signature."""
    facts = zip(dataset.images, dataset.labels.tolist(), dataset.split_codes.tolist(), strict=True)
    return np.array([zlib.crc32(face.tobytes() + bytes(more)) & 0xFFFF for face, *more in facts], np.uint16)


def with_rows(dataset: FaceDataset) -> FaceDataset:
    """Return the same faces with the row of each in `fer2013.csv`; -1 for a face that is not in it.

    Some faces occur several times in FER2013 with the same or nearly the same pixels. They get the row with their
    pixels, label and split; else a row of their split; else any row of this picture. Faces with the same pixels, label
    and split get their rows in order: FER+'s votes on them are the same. Pictures of one gray have no signature, so
    they have a row only if pixels, label and split are those of FER2013.
    """
    known = known_rows()
    pictures, places = np.unique(known.signatures, axis=0, return_inverse=True)
    splits = np.searchsorted(TEST_STARTS, np.arange(len(places)), side="right")
    original = pd.DataFrame({"picture": places.reshape(-1), "split": splits, "twin": known.twins})
    nearest = _nearest(signatures(dataset.images), pictures)
    given = pd.DataFrame({"picture": nearest, "split": dataset.split_codes, "twin": twins(dataset)})
    flat = (dataset.images == dataset.images[:, :1, :1]).all(axis=(1, 2))
    rows = np.full(len(dataset), -1)
    for columns in (["picture", "twin"], ["picture", "split"], ["picture"]):
        free = original[~original.index.isin(rows)]
        sought = given[(rows < 0) & (~flat | ("twin" in columns))]
        at, row = same_rows(sought, free, columns)
        rows[at] = row
    first = original.drop_duplicates("picture").reset_index().set_index("picture")["index"]
    more = (rows < 0) & ~flat & (given["picture"] >= 0)  # more copies than FER2013 has
    rows[more] = first.loc[given.loc[more, "picture"]]
    return replace(dataset, rows=rows)


def same_rows(
    given: pd.DataFrame, known: pd.DataFrame, columns: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the index labels of rows that have the same values in both tables, each row at most once.

    Rows with equal values are matched in their order.
    """
    both = [
        table[columns].assign(number=table.groupby(columns).cumcount()).rename_axis(name).reset_index()
        for table, name in ((given, "given"), (known, "known"))
    ]
    pairs = both[0].merge(both[1], on=[*columns, "number"])
    return pairs["given"].to_numpy(np.int64), pairs["known"].to_numpy(np.int64)


def _nearest(given: NDArray[np.uint8], pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the place of each signature `(n, 16)` among `pictures` `(m, 16)`; -1 if none is near enough."""
    place_of = {picture.tobytes(): place for place, picture in enumerate(pictures)}
    nearest = np.array([place_of.get(signature.tobytes(), -1) for signature in given], np.int64)
    known, others = _as_signs(pictures), np.flatnonzero(nearest < 0)
    for start in range(0, len(others), _AT_ONCE):
        at = others[start : start + _AT_ONCE]
        agreement = _as_signs(given[at]) @ known.T
        near = agreement.max(axis=1) >= BITS - 2 * MAX_DIFFERENT_BITS
        nearest[at] = np.where(near, agreement.argmax(axis=1), -1)
    return nearest


def _as_signs(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return bits as -1 and 1, so that a product of two signatures is 128 minus twice the different bits."""
    return np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
