"""A dataset of faces in memory: pictures, labels, splits, annotators' votes, and the exact duplicates among them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.labels import EXPRESSIONS, NUM_CLASSES, expression_index
from fer_core.types import FerError

SPLITS: Final[tuple[str, ...]] = ("Training", "PublicTest", "PrivateTest")
"""FER2013's official names. PublicTest is the test split of the paper, PrivateTest that of the challenge."""

FACE_SIZE: Final[int] = 48
"""Side of FER2013's faces in pixels."""

VOTE_COLUMNS: Final[tuple[str, ...]] = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
"""The possible votes in the file's order; "NF" is "not a face"."""

_OURS: Final[NDArray[np.int64]] = np.array(
    [expression_index(name) for name in VOTE_COLUMNS[:NUM_CLASSES]] + [-1] * (len(VOTE_COLUMNS) - NUM_CLASSES)
)  # class index of each vote column; -1 for contempt, unknown and not a face


@dataclass(frozen=True, eq=False)
class FerPlusVotes:
    """Votes on faces, in the order of the faces.

    Attributes:
        votes: `(n, 10)` int64, a column for each of `VOTE_COLUMNS`.
        columns: `VOTE_COLUMNS`.

    Raises:
        FerError: the array has another shape or type, or negative counts.
    """

    votes: NDArray[np.int64]
    columns: ClassVar[tuple[str, ...]] = VOTE_COLUMNS

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
        """Return the shares of votes for the seven expressions, `(n, 7)`; zeros for a face without such votes.

        Votes for contempt, unknown and not-a-face are left out.
        """
        counts = self.counts()
        return (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).astype(np.float32)

    def counts(self) -> NDArray[np.int64]:
        """Return the votes for the seven expressions, `(n, 7)` in the order of `labels.EXPRESSIONS`."""
        counts = np.zeros((len(self), NUM_CLASSES), np.int64)
        counts[:, _OURS[:NUM_CLASSES]] = self.votes[:, :NUM_CLASSES]
        return counts

    def agreement(self) -> NDArray[np.float64]:
        """Return the share of votes for the most frequent answer, `(n,)`; NaN for a face without votes."""
        total = self.votes.sum(axis=1)
        top = self.votes.max(axis=1, initial=0)
        return np.divide(top, total, out=np.full(len(self), np.nan), where=total > 0)


def split_name(name: str, splits: Sequence[str] = SPLITS) -> str:
    """Return the official name of a split, given it or another spelling: `"train"` (the first), `"public_test"`, …

    Raises:
        FerError: there is no such split.
    """
    keys = {"train": splits[0]} | {split.lower(): split for split in splits}
    key = name.strip().lower().replace("_", "").replace("-", "").replace(" ", "")
    if key not in keys:
        *others, last = (re.sub(r"(?<=[a-z])(?=[A-Z])", "_", split).lower() for split in splits)
        raise FerError(f"Unknown split. Expected {', '.join(others)} or {last}. Received: {name!r}")
    return keys[key]


@dataclass(frozen=True, eq=False)
class FaceDataset:
    """Faces of a dataset, with labels and its splits: FER2013, unless name, splits and side say otherwise.

    Attributes:
        images: `(n, side, side)` uint8 gray.
        labels: `(n,)` int64 class indices in the order of `labels.EXPRESSIONS`.
        usage: `(n,)` str, each one of `splits`.
        rows: `(n,)` int64 row index in the original `fer2013.csv`, from 0, whatever the order here; -1 if unknown. It
            is found by the pixels (`fer2013_rows.with_rows`) and joins faces with all that is kept of them.
        votes: of FER+'s annotators on the same faces; None if there are none.
        name: of the dataset.
        splits: names of its splits, the one for training first.
        side: of its faces in pixels.

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

    def __post_init__(self) -> None:
        n = len(self.images)
        if self.images.shape != (n, self.side, self.side) or self.images.dtype != np.uint8:
            received = f"{self.images.shape} {self.images.dtype}"
            raise FerError(
                f"Expected images of shape (n, {self.side}, {self.side}) and type uint8. Received: {received}"
            )
        for name in ("labels", "usage", "rows"):
            if getattr(self, name).shape != (n,):
                raise FerError(f"Expected {name} of shape ({n},), one per image. Received: {getattr(self, name).shape}")
        for name in ("labels", "rows"):
            if getattr(self, name).dtype != np.int64:
                raise FerError(f"Expected {name} of type int64. Received: {getattr(self, name).dtype}")
        if n and not 0 <= self.labels.min() <= self.labels.max() < NUM_CLASSES:
            raise FerError(f"Expected labels from 0 to 6. Received: {self.labels.min()} to {self.labels.max()}")
        if n and self.rows.min() < -1:
            raise FerError(f"Expected rows from 0 on, or -1 where unknown. Received: {self.rows.min()}")
        if self.votes is not None and len(self.votes) != n:
            raise FerError(f"Expected votes on {n} faces. Received: {len(self.votes)}")
        unknown = set(np.unique(self.usage).tolist()) - set(self.splits)
        if unknown:
            raise FerError(f"Expected usage to be one of {', '.join(self.splits)}. Received: {sorted(unknown)[0]!r}")

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def fingerprint(self) -> str:
        """Hash (32 hex digits) of images, labels and usage in their order; it does not depend on the file format."""
        digest = hashlib.sha256(b"fer-dataset-1")
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(self.labels.astype("<i8").tobytes())
        digest.update(usage_codes(self.usage, self.splits).tobytes())
        if self.splits != SPLITS:
            digest.update(repr(self.splits).encode())
        return digest.hexdigest()[:32]

    def subset(self, selection: NDArray) -> FaceDataset:
        """Return the faces that a boolean mask `(n,)` or integer indices `(m,)` select, in that order."""
        selection = np.asarray(selection)
        if selection.size == 0:
            selection = selection.astype(np.int64)
        return replace(
            self,
            images=self.images[selection],
            labels=self.labels[selection],
            usage=self.usage[selection],
            rows=self.rows[selection],
            votes=None if self.votes is None else self.votes[selection],
        )

    @cached_property
    def ids(self) -> list[bytes]:
        """A hash of 16 bytes for each face, the same for faces with identical pixels only."""
        return [hashlib.blake2b(face.tobytes(), digest_size=16).digest() for face in self.images]

    def split(self, name: str) -> FaceDataset:
        """Return one split, of FER2013 "training" (or "train"), "public_test" or "private_test"; see `split_name`.

        Raises:
            FerError: there is no such split, or the dataset has no faces of it.
        """
        official = split_name(name, self.splits)
        mask = self.usage == official
        if not mask.any():
            present = ", ".join(part for part in self.splits if (self.usage == part).any()) or "no faces at all"
            raise FerError(f"The dataset has no {official} faces. It holds: {present}")
        return self.subset(mask)

    @property
    def plurality(self) -> NDArray[np.int64]:
        """What most annotators say, `(n,)` class indices; -1 for a face without votes or without one clear answer.

        See `FerPlusVotes.plurality`.
        """
        return np.full(len(self), -1) if self.votes is None else self.votes.plurality()

    def with_votes(self, votes: FerPlusVotes) -> FaceDataset:
        """Return the same faces with the votes on each; a face of unknown row has none.

        Args:
            votes: in the row order of `fer2013.csv`.

        Raises:
            FerError: a row is not in the table.
        """
        if self.rows.size and self.rows.max() >= len(votes):
            raise FerError(f"FER+ has votes for {len(votes)} rows only. Received: row {self.rows.max()}")
        counts = np.where(self.rows[:, None] >= 0, votes.votes[self.rows], 0)
        return replace(self, votes=FerPlusVotes(counts))

    def counts(self) -> pd.DataFrame:
        """Return the number of faces, with a row for each of `splits` and a column for each expression."""
        table = np.zeros((len(self.splits), NUM_CLASSES), dtype=np.int64)
        np.add.at(table, (usage_codes(self.usage, self.splits), self.labels), 1)
        return pd.DataFrame(table, index=list(self.splits), columns=list(EXPRESSIONS))


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Groups of faces with identical pixels.

    Attributes:
        groups: for each group the indices `(k,)` int64 into the dataset, k >= 2, ascending. Groups are ordered by
            their first face.
        across_splits: `(len(groups),)` bool, whether the group's faces are in more than one split.
        differing_labels: `(len(groups),)` bool, whether the group's faces have more than one label.
    """

    groups: tuple[NDArray[np.int64], ...]
    across_splits: NDArray[np.bool_]
    differing_labels: NDArray[np.bool_]

    @property
    def faces(self) -> int:
        """Number of faces in all groups."""
        return sum(len(group) for group in self.groups)

    @property
    def redundant(self) -> int:
        """Number of faces that would be removed if one of each group were kept."""
        return self.faces - len(self.groups)


def find_duplicates(dataset: FaceDataset) -> Duplicates:
    """Find all groups of faces with identical pixels."""
    members: dict[bytes, list[int]] = {}
    for index, key in enumerate(dataset.ids):
        members.setdefault(key, []).append(index)
    groups = tuple(np.array(group, dtype=np.int64) for group in members.values() if len(group) > 1)
    return Duplicates(
        groups,
        np.array([len(set(dataset.usage[group])) > 1 for group in groups], dtype=bool),
        np.array([len(set(dataset.labels[group])) > 1 for group in groups], dtype=bool),
    )


def leaked_mask(test: FaceDataset, training: FaceDataset) -> NDArray[np.bool_]:
    """Return `(len(test),)` bool: whether a test face is also among the training faces, with identical pixels."""
    seen = set(training.ids)
    return np.array([key in seen for key in test.ids], dtype=bool)


def usage_codes(usage: NDArray[np.str_], splits: Sequence[str] = SPLITS) -> NDArray[np.uint8]:
    """Return the positions in `splits`, `(n,)` uint8."""
    codes = np.zeros(len(usage), dtype=np.uint8)
    for code, name in enumerate(splits):
        codes[usage == name] = code
    return codes
