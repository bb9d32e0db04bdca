"""A dataset of faces in memory: pictures, labels, splits, annotators' votes, and the exact duplicates among them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.labels import EXPRESSIONS, NUM_CLASSES, expression_index
from fer_core.types import FerError

SPLITS: Final[tuple[str, ...]] = ("Training", "PublicTest", "PrivateTest")
"""FER2013's official names. PublicTest is the test split of the paper, PrivateTest that of the challenge."""

FACE_SIZE: Final = 48  # side of FER2013's faces in pixels
VOTE_COLUMNS: Final[tuple[str, ...]] = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
"""The possible votes in the file's order; "NF" is "not a face"."""

_OURS: Final[NDArray[np.int64]] = np.array(
    [expression_index(name) for name in VOTE_COLUMNS[:NUM_CLASSES]] + [-1] * (len(VOTE_COLUMNS) - NUM_CLASSES)
)  # class index of each vote column; -1 for contempt, unknown and not a face


@dataclass(frozen=True, eq=False)
class FerPlusVotes:
    """Votes on faces, in the order of the faces: `(n, 10)` int64, 0 or more, a column for each of `VOTE_COLUMNS`."""

    votes: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.votes.ndim != 2 or self.votes.shape[1] != len(VOTE_COLUMNS) or self.votes.dtype != np.int64:
            received = f"{self.votes.shape} {self.votes.dtype}"
            raise FerError(f"Expected votes of shape (n, 10) and type int64. Received: {received}")
        if self.votes.size and self.votes.min() < 0:
            raise FerError(f"Expected counts of votes, 0 or more. Received: {self.votes.min()}")

    def __len__(self) -> int:
        return len(self.votes)

    def __getitem__(self, selection: NDArray) -> FerPlusVotes:
        """Return the votes on the faces that a mask `(n,)` or indices select."""
        return FerPlusVotes(self.votes[selection])

    def plurality(self) -> NDArray[np.int64]:
        """Return the expression with most votes, `(n,)` class indices in the order of `labels.EXPRESSIONS`.

        -1 if there is a tie or no vote, or if contempt, unknown or not-a-face has most votes.
        """
        top = self.votes.max(axis=1, initial=0)
        alone = (self.votes == top[:, None]).sum(axis=1) == 1
        return np.where(alone & (top > 0), _OURS[self.votes.argmax(axis=1)], -1)

    def shares(self) -> NDArray[np.float32]:
        """Return `counts` as shares, `(n, 7)`; zeros for a face without votes for one of the seven expressions."""
        counts = self.counts()
        return (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).astype(np.float32)

    def counts(self) -> NDArray[np.int64]:
        """Return the votes for the seven expressions, `(n, 7)` in the order of `labels.EXPRESSIONS`."""
        return self.votes[:, np.argsort(_OURS[:NUM_CLASSES])]

    def agreement(self) -> NDArray[np.float64]:
        """Return the share of votes for the most frequent answer, `(n,)`; NaN for a face without votes."""
        total, top = self.votes.sum(axis=1), self.votes.max(axis=1, initial=0)
        return np.divide(top, total, out=np.full(len(self), np.nan), where=total > 0)


def split_name(name: str, splits: tuple[str, ...] = SPLITS) -> str:
    """Return the one of `splits` that a name in any spelling means: of FER2013 "train", "public_test", "PrivateTest", …

    A `FerError` says that there is no such split.
    """
    official = {"train": splits[0]} | {split.lower(): split for split in splits}
    split = official.get(re.sub(r"[\s_-]", "", name.lower()))
    if split is None:
        *others, last = (re.sub(r"(?<=[a-z])(?=[A-Z])", "_", split).lower() for split in splits)
        raise FerError(f"Unknown split. Expected {', '.join(others)} or {last}. Received: {name!r}")
    return split


@dataclass(frozen=True, eq=False)
class FaceDataset:
    """Faces of a dataset, with labels and its splits: FER2013, unless name, splits and side say otherwise.

    Attributes:
        images: `(n, side, side)` uint8 gray.
        labels: `(n,)` int64 class indices in the order of `classes`.
        usage: `(n,)` str, each one of `splits`.
        rows: `(n,)` int64 row index in the original `fer2013.csv`, from 0, whatever the order here; -1 if unknown. It
            is found by the pixels (`fer2013_rows.with_rows`) and joins faces with all that is kept of them.
        votes: of FER+'s annotators on the same faces; None if there are none.
        name: of the dataset.
        splits: names of its splits, the one for training first.
        side: of its faces in pixels.
        classes: names of what the labels tell apart: the seven expressions, or others.

    Raises:
        FerError: the arrays have other shapes, types or values.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    usage: NDArray[np.str_]
    rows: NDArray[np.int64]
    votes: FerPlusVotes | None = None
    name: str = "FER2013"
    splits: tuple[str, ...] = SPLITS
    side: int = FACE_SIZE
    classes: tuple[str, ...] = EXPRESSIONS

    def __post_init__(self) -> None:
        n, shape = len(self.images), f"(n, {self.side}, {self.side})"
        if self.images.shape != (n, self.side, self.side) or self.images.dtype != np.uint8:
            received = f"{self.images.shape} {self.images.dtype}"
            raise FerError(f"Expected images of shape {shape} and type uint8. Received: {received}")
        for name in ("labels", "usage", "rows"):
            values = getattr(self, name)
            if values.shape != (n,):
                raise FerError(f"Expected {name} of shape ({n},), one per image. Received: {values.shape}")
            if name != "usage" and values.dtype != np.int64:
                raise FerError(f"Expected {name} of type int64. Received: {values.dtype}")
        if n and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            received = f"{self.labels.min()} to {self.labels.max()}"
            raise FerError(f"Expected labels from 0 to {len(self.classes) - 1}. Received: {received}")
        if n and self.rows.min() < -1:
            raise FerError(f"Expected rows from 0 on, or -1 where unknown. Received: {self.rows.min()}")
        if self.votes is not None and len(self.votes) != n:
            raise FerError(f"Expected votes on {n} faces. Received: {len(self.votes)}")
        unknown = set(np.unique(self.usage).tolist()) - set(self.splits)
        if unknown:
            raise FerError(f"Expected usage to be one of {', '.join(self.splits)}. Received: {sorted(unknown)[0]!r}")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def split_codes(self) -> NDArray[np.uint8]:
        """The positions of `usage` in `splits`, `(n,)` uint8."""
        return (self.usage[:, None] == np.array(self.splits)).argmax(axis=1).astype(np.uint8)

    @cached_property
    def fingerprint(self) -> str:
        """Hash (32 hex digits) of images, labels and usage in their order; it does not depend on the file format."""
        digest = hashlib.sha256(b"fer-dataset-1")
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(self.labels.astype("<i8").tobytes())
        digest.update(self.split_codes.tobytes())
        for names, usual in ((self.splits, SPLITS), (self.classes, EXPRESSIONS)):
            if names != usual:
                digest.update(repr(names).encode())
        return digest.hexdigest()[:32]

    @cached_property
    def ids(self) -> list[bytes]:
        """A hash of 16 bytes for each face, the same for faces with identical pixels only."""
        return [hashlib.blake2b(face.tobytes(), digest_size=16).digest() for face in self.images]

    def subset(self, selection: NDArray) -> FaceDataset:
        """Return the faces that a boolean mask `(n,)` or integer indices `(m,)` select, in that order."""
        selection = np.asarray(selection)
        if selection.size == 0:
            selection = selection.astype(np.int64)
        names = ["images", "labels", "usage", "rows", *([] if self.votes is None else ["votes"])]
        return replace(self, **{name: getattr(self, name)[selection] for name in names})

    def split(self, name: str) -> FaceDataset:
        """Return one split, given its name or another spelling, as `split_name` reads it.

        Raises:
            FerError: there is no such split, or the dataset has no faces of it.
        """
        split = split_name(name, self.splits)
        mask = self.usage == split
        if not mask.any():
            present = ", ".join(part for part in self.splits if (self.usage == part).any()) or "no faces at all"
            raise FerError(f"The dataset has no {split} faces. It holds: {present}")
        return self.subset(mask)

    @property
    def plurality(self) -> NDArray[np.int64]:
        """What most annotators say, as `FerPlusVotes.plurality`; -1 for a face without votes."""
        return np.full(len(self), -1) if self.votes is None else self.votes.plurality()

    def with_votes(self, votes: FerPlusVotes) -> FaceDataset:
        """Return the same faces with the votes on each, given those of all rows; a face of unknown row has none."""
        if self.rows.size and self.rows.max() >= len(votes):
            raise FerError(f"FER+ has votes for {len(votes)} rows only. Received: row {self.rows.max()}")
        return replace(self, votes=FerPlusVotes(np.where(self.rows[:, None] >= 0, votes.votes[self.rows], 0)))

    def counts(self) -> pd.DataFrame:
        """Return the number of faces, with a row for each of `splits` and a column for each class."""
        table = np.zeros((len(self.splits), len(self.classes)), dtype=np.int64)
        np.add.at(table, (self.split_codes, self.labels), 1)
        return pd.DataFrame(table, index=list(self.splits), columns=list(self.classes))


class Duplicates(NamedTuple):
    """Groups of faces with identical pixels, ordered by their first face.

    Attributes:
        groups: for each group the indices `(k,)` int64 into the dataset, k >= 2, ascending.
        across_splits: `(len(groups),)` bool, whether the group's faces are in more than one split.
        differing_labels: `(len(groups),)` bool, whether the group's faces have more than one label.
    """

    groups: list[NDArray[np.int64]]
    across_splits: NDArray[np.bool_]
    differing_labels: NDArray[np.bool_]

    @property
    def faces(self) -> int:
        """Number of faces in all groups."""
        return sum(len(group) for group in self.groups)


def find_duplicates(dataset: FaceDataset) -> Duplicates:
    """Find all groups of faces with identical pixels."""
    members: dict[bytes, list[int]] = {}
    for index, key in enumerate(dataset.ids):
        members.setdefault(key, []).append(index)
    groups = [np.array(group, dtype=np.int64) for group in members.values() if len(group) > 1]
    across, differing = (
        np.array([len(set(values[group])) > 1 for group in groups], dtype=bool)
        for values in (dataset.usage, dataset.labels)
    )
    return Duplicates(groups, across, differing)


def leaked_mask(test: FaceDataset, training: FaceDataset) -> NDArray[np.bool_]:
    """Return `(len(test),)` bool: whether a test face is also among the training faces, with identical pixels."""
    seen = set(training.ids)
    return np.array([key in seen for key in test.ids], dtype=bool)
