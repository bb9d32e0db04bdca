"""A round of the quiz: ten test faces, what people's answers are compared with, and who is right how often.

Faces are drawn by a seed, so that everybody with the seed gets the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core import columns
from fer_core.data import VOTE_COLUMNS, FaceDataset
from fer_core.data.near_duplicates import known_same_pictures
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.intervals import wilson_interval
from fer_core.metrics.predictions import Predictions
from fer_core.types import FerError, Image

FER2013: Final = "FER2013"

FACES: Final = 10
"""Faces of a round."""

SHOWN_SIDE: Final = 480
"""Side in pixels of a face as the quiz shows it, ten times FER2013's."""

YOU, CLASS, MODEL, ANNOTATORS = "You", "Class", "Model", "Annotators"
"""Who names expressions, in scores."""

Said = Sequence[str | None]
"""Answers to the first faces of a round, in order; None where there is none or no clear one."""

_NOT_A_FACE: Final = VOTE_COLUMNS.index("NF")


@dataclass(frozen=True, eq=False)
class QuizFace:
    """A face of a round.

    Attributes:
        row: row number in FER2013, or place among the test faces of a data set.
        split: "PublicTest", "PrivateTest" or the name of a data set.
        image: `(480, 480)` uint8 gray, enlarged.
        label: of the data set.
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


def draw_round(dataset: FaceDataset, seed: int) -> tuple[QuizFace, ...]:
    """Draw a round: one face of each label, three more whose labels are drawn at random, all shuffled.

    Faces come from both test splits. Left out are pictures that also stand in Training, nearly the same or equal, since
    models have seen them; pictures of one gray; and, where votes are known, what most annotators call not a face.

    Args:
        dataset: FER2013, or the test faces of a data set, `OwnDataset.tests_by_row`. Votes do not change the draw,
            except that a face which they leave out is replaced.
        seed: 0 or more. The same seed and faces give the same round.

    Raises:
        FerError: too few test faces are left.
    """
    random = np.random.default_rng(seed)
    own = dataset.name != FER2013
    places = np.flatnonzero(((dataset.usage != "Training") | own) & (dataset.rows >= 0))
    places = places[np.argsort(dataset.rows[places], kind="stable")]  # whatever the order of the files
    training = dataset.rows[:0] if own else dataset.rows[dataset.usage == "Training"]
    usable = ~known_same_pictures().partners(dataset.rows[places], training, exact=False)
    usable &= np.ptp(dataset.images[places], axis=(1, 2)) > 0
    if dataset.votes is not None:
        usable &= dataset.votes.votes[places].argmax(axis=1) != _NOT_A_FACE
    labels = [label for label in range(len(EXPRESSIONS)) if (dataset.labels[places] == label).any()]
    extra = random.choice(labels, FACES - len(labels)).tolist() if labels else []
    drawn: list[int] = []
    for label in range(len(EXPRESSIONS)):
        number = labels.count(label) + extra.count(label)
        order = random.permutation(np.flatnonzero(dataset.labels[places] == label))
        drawn += places[order[usable[order]]][:number].tolist()
    if len(drawn) < FACES:
        raise FerError(
            f"A round needs {FACES} test faces that are not in Training too, of every expression that occurs. Install "
            f"the whole dataset: fer-lab data download, or data add. Received: {len(places)} test faces"
        )
    return tuple(_face(dataset, place) for place in random.permutation(drawn).tolist())


def _face(dataset: FaceDataset, place: int) -> QuizFace:
    enlarged = cv2.resize(dataset.images[place], (SHOWN_SIDE, SHOWN_SIDE), interpolation=cv2.INTER_CUBIC)
    image = np.asarray(enlarged, np.uint8)
    split = str(dataset.usage[place]) if dataset.name == FER2013 else dataset.name
    face = QuizFace(int(dataset.rows[place]), split, image, EXPRESSIONS[dataset.labels[place]])
    if dataset.votes is None or not dataset.votes.votes[place].any():
        return face
    votes = dataset.votes[np.array([place])]
    counts, most = votes.counts()[0], int(votes.plurality()[0])
    return replace(
        face,
        votes=tuple(counts.tolist()),
        other_votes=int(votes.votes.sum() - counts.sum()),
        majority=EXPRESSIONS[most] if most >= 0 else None,
    )


@dataclass(frozen=True, eq=False)
class Game:
    """A round with what people's answers are compared with.

    Attributes:
        faces: of the round, in the order in which they are shown.
        model: title of the model to compare with; empty for none.
        probabilities: of the model for each face, `(7,)` in the order of `labels.EXPRESSIONS`; None where it has none.
    """

    faces: tuple[QuizFace, ...]
    model: str = ""
    probabilities: tuple[NDArray[np.floating] | None, ...] = (None,) * FACES

    @property
    def labels(self) -> Said:
        """The labels, by which answers are right or wrong."""
        return tuple(face.label for face in self.faces)

    @property
    def predicted(self) -> Said:
        """What the model says."""
        return tuple(None if row is None else EXPRESSIONS[int(row.argmax())] for row in self.probabilities)

    @property
    def voted(self) -> bool:
        """Whether the annotators' votes are known."""
        return all(face.votes is not None for face in self.faces)

    def scores(self, who: str, said: Said) -> dict[str, int]:
        """Return how many labels are given by `who`, `YOU` or `CLASS`, by the model and by the annotators, if any."""
        everyone = {who: said}
        if self.model:
            everyone[MODEL] = self.predicted
        if self.voted:
            everyone[ANNOTATORS] = tuple(face.majority for face in self.faces)
        return {name: agreement(answers, self.labels).same for name, answers in everyone.items()}


def new_game(faces: tuple[QuizFace, ...], predictions: Iterable[Predictions], model: str = "") -> Game:
    """Return a round compared with a model, by its name, of which `predictions` are those of each test split.

    The model has no answer to a face without a prediction that belongs to it, by row and label.
    """
    title, found = "", dict[int, NDArray[np.floating]]()
    for table in predictions:
        if model not in table.names:
            continue
        for number, face in enumerate(faces):
            known = np.flatnonzero(table.rows == face.row)
            if face.split == table.split and len(known) == 1 and EXPRESSIONS[table.given[known[0]]] == face.label:
                title = table.titles[model]
                found[number] = table.probabilities[model][known[0]]
    return Game(faces, title, tuple(found.get(number) for number in range(len(faces))))


def most_say(said: Iterable[str | None]) -> str | None:
    """Return the most frequent answer; None if there is a tie or no answer."""
    counts = Counter(answer for answer in said if answer is not None).most_common(2)
    if not counts or (len(counts) == 2 and counts[0][1] == counts[1][1]):
        return None
    return counts[0][0]


def class_says(people: Iterable[Said]) -> Said:
    """Return what most people say to each face of a round; None if there is a tie or no answer."""
    answers = [[*said, *[None] * (FACES - len(said))] for said in people]
    return tuple(most_say(said[place] for said in answers) for place in range(FACES))


def winners(people: Mapping[str, Said], game: Game) -> tuple[list[str], int]:
    """Return the names of those who give the most labels, in their order, and how many; nobody if all give none."""
    scores = {name: agreement(said, game.labels).same for name, said in people.items()}
    most = max(scores.values(), default=0)
    return [name for name, score in scores.items() if score == most > 0], most


def in_words(scores: Mapping[str, int]) -> str:
    """Return scores as a sentence.

    Example:
        >>> in_words({"Class": 7, "Model": 6, "Annotators": 8})
        'Class 7, model 6, annotators 8 of 10.'
    """
    text = ", ".join(f"{who.lower()} {score}" for who, score in scores.items())
    return f"{text[:1].upper()}{text[1:]} of {FACES}."


@dataclass(frozen=True)
class Agreement:
    """How many answers (`same`) are those of a yardstick, of the faces to which both have an answer (`of`)."""

    same: int
    of: int

    @property
    def interval_text(self) -> str:
        """Wilson's 95 % interval of the share as text, "31 % to 83 %"."""
        interval = wilson_interval(self.same, self.of)
        return f"{columns.percent(interval.low)} to {columns.percent(interval.high)}" if self.of else "–"


def agreement(said: Said, other: Said) -> Agreement:
    """Compare answers face by face, up to the end of the shorter of the two; None counts as no answer."""
    pairs = [pair for pair in zip(said, other, strict=False) if None not in pair]
    return Agreement(sum(first == second for first, second in pairs), len(pairs))


def answer_counts(people: Iterable[Said], face: int) -> list[int]:
    """Return how many people gave each of `labels.EXPRESSIONS` to a face, by its place in the round, from 0."""
    counts = Counter(said[face] for said in people if face < len(said))
    return [counts[expression] for expression in EXPRESSIONS]
