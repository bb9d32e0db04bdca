"""A round of the quiz: ten test faces of FER2013, drawn by a seed, so that everybody with the seed gets the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data import VOTE_COLUMNS, FaceDataset, FerPlusVotes
from fer_core.data.near_duplicates import known_same_pictures
from fer_core.labels import EXPRESSIONS
from fer_core.types import FerError, Image

FACES: Final = 10
"""Faces of a round."""

SHOWN_SIDE: Final = 480
"""Side in pixels of a face as the quiz shows it, ten times FER2013's."""

_NOT_A_FACE: Final = VOTE_COLUMNS.index("NF")


@dataclass(frozen=True, eq=False)
class QuizFace:
    """A face of a round.

    Attributes:
        row: row number in FER2013.
        split: "PublicTest" or "PrivateTest".
        image: `(480, 480)` uint8 gray, enlarged.
        label: FER2013's label.
        votes: the annotators' votes for the seven expressions, in the order of `labels.EXPRESSIONS`; None if unknown.
        other_votes: their votes for contempt, unknown or not a face.
        majority: what most annotators say; None without votes or one clear answer.
    """

    row: int
    split: str
    image: Image
    label: str
    votes: tuple[int, ...] | None = None
    other_votes: int = 0
    majority: str | None = None


@dataclass(frozen=True, eq=False)
class Round:
    """Ten faces in the order in which they are shown.

    Attributes:
        seed: from which they were drawn.
        faces: the faces.
    """

    seed: int
    faces: tuple[QuizFace, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """FER2013's label of each face."""
        return tuple(face.label for face in self.faces)

    @property
    def has_votes(self) -> bool:
        """Whether the annotators' votes are known."""
        return all(face.votes is not None for face in self.faces)


def draw_round(dataset: FaceDataset, seed: int) -> Round:
    """Draw a round: one face of each label, three more whose labels are drawn at random, all shuffled.

    Faces come from both test splits. Left out are pictures that also stand in Training, nearly the same or equal, since
    models have seen them; pictures of one gray; and, where votes are known, what most annotators call not a face.

    Args:
        dataset: FER2013. Votes do not change the draw, except that a face which they leave out is replaced.
        seed: 0 or more. The same seed and faces give the same round.

    Raises:
        FerError: too few test faces are left.
    """
    random = np.random.default_rng(seed)
    places = np.flatnonzero((dataset.usage != "Training") & (dataset.rows >= 0))
    places = places[np.argsort(dataset.rows[places], kind="stable")]  # whatever the order of the files
    training = dataset.rows[dataset.usage == "Training"]
    seen = known_same_pictures().partners(dataset.rows[places], training, exact=False)
    labels = [label for label in range(len(EXPRESSIONS)) if (dataset.labels[places] == label).any()]
    extra = random.choice(labels, FACES - len(labels)).tolist() if labels else []
    usable = ~seen & _usable(dataset, places)
    drawn: list[int] = []
    for label in range(len(EXPRESSIONS)):
        number = labels.count(label) + extra.count(label)
        order = random.permutation(np.flatnonzero(dataset.labels[places] == label))
        drawn += places[order[usable[order]]][:number].tolist()
    if len(drawn) < FACES:
        raise FerError(
            f"A round needs {FACES} test faces of FER2013 that are not in Training too, of every expression that "
            f"occurs. Install the whole dataset: fer-lab data download. Received: {len(places)} test faces"
        )
    return Round(seed, _faces(dataset, random.permutation(drawn)))


def enlarged(face: Image) -> Image:
    """Return a gray face `(height, width)` with a longer side of `SHOWN_SIDE` pixels, smooth at the edges."""
    scale = SHOWN_SIDE / max(face.shape)
    return np.asarray(cv2.resize(face, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)


def _usable(dataset: FaceDataset, places: NDArray[np.int64]) -> NDArray[np.bool_]:
    usable = np.ptp(dataset.images[places], axis=(1, 2)) > 0
    if dataset.votes is not None:
        usable &= dataset.votes.votes[places].argmax(axis=1) != _NOT_A_FACE
    return usable


def _faces(dataset: FaceDataset, places: NDArray[np.int64]) -> tuple[QuizFace, ...]:
    return tuple(
        QuizFace(
            row=int(dataset.rows[place]),
            split=str(dataset.usage[place]),
            image=enlarged(dataset.images[place]),
            label=EXPRESSIONS[dataset.labels[place]],
            **_voted(dataset.votes, place),
        )
        for place in places.tolist()
    )


def _voted(votes: FerPlusVotes | None, place: int) -> dict[str, Any]:
    """Return what `QuizFace` says of the votes on one face; nothing if there are none."""
    if votes is None or not votes.votes[place].any():
        return {}
    one = votes[np.array([place])]
    counts, most = one.counts()[0], int(one.plurality()[0])
    return {
        "votes": tuple(counts.tolist()),
        "other_votes": int(one.votes.sum() - counts.sum()),
        "majority": EXPRESSIONS[most] if most >= 0 else None,
    }
