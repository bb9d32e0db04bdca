"""A round of the quiz: ten test faces, what people's answers are compared with, and how far they agree.

Faces are drawn by a seed, so that everybody with the seed gets the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Final

import cv2
import numpy as np
import pandas as pd

from fer_core import columns
from fer_core.data import VOTE_COLUMNS, FaceDataset
from fer_core.data.near_duplicates import known_same_pictures
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.intervals import Interval, wilson_interval
from fer_core.metrics.predictions import Predictions
from fer_core.types import FerError, Image

FER2013: Final = "FER2013"

FACES: Final = 10
"""Faces of a round."""

SHOWN_SIDE: Final = 480
"""Side in pixels of a face as the quiz shows it, ten times FER2013's."""

LABEL, ANNOTATORS, MODELS, YOU = "The label", "Most annotators", "Most models", "You"

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
    """A round with the answers that people's answers are compared with.

    Attributes:
        main: by name, `LABEL`, `ANNOTATORS` where votes are known, `MODELS` where there are two models or more.
        models: by the title of the model.
        faces: of the round, in the order in which they are shown.
    """

    main: Mapping[str, Said]
    models: Mapping[str, Said] = field(default_factory=dict)
    faces: tuple[QuizFace, ...] = ()

    @property
    def all(self) -> dict[str, Said]:
        """`main`, then `models`."""
        return {**self.main, **self.models}


def new_game(faces: tuple[QuizFace, ...], predictions: Iterable[Predictions]) -> Game:
    """Return a round with what its answers are compared with; `predictions` are the models' of each test split.

    A model has no answer to a face without a prediction that belongs to it, by row and label.
    """
    models: dict[str, list[str | None]] = {}
    for table in predictions:
        for number, face in enumerate(faces):
            known = np.flatnonzero(table.rows == face.row)
            if face.split == table.split and len(known) == 1 and EXPRESSIONS[table.given[known[0]]] == face.label:
                for name, probabilities in table.probabilities.items():
                    said = models.setdefault(table.titles[name], [None] * len(faces))
                    said[number] = EXPRESSIONS[int(probabilities[known[0]].argmax())]
    main: dict[str, Said] = {LABEL: tuple(face.label for face in faces)}
    if all(face.votes is not None for face in faces):
        main[ANNOTATORS] = tuple(face.majority for face in faces)
    if len(models) > 1:
        main[MODELS] = tuple(map(most_say, zip(*models.values(), strict=True)))
    return Game(main, {title: tuple(said) for title, said in models.items()}, faces)


def most_say(said: Iterable[str | None]) -> str | None:
    """Return the most frequent answer; None if there is a tie or no answer."""
    counts = Counter(answer for answer in said if answer is not None).most_common(2)
    if not counts or (len(counts) == 2 and counts[0][1] == counts[1][1]):
        return None
    return counts[0][0]


@dataclass(frozen=True)
class Agreement:
    """How many answers (`same`) are those of a yardstick, of the faces to which both have an answer (`of`)."""

    same: int
    of: int

    def __str__(self) -> str:
        return f"{self.same} of {self.of}" if self.of else "–"

    @property
    def interval(self) -> Interval:
        """Wilson's 95 % interval of the share, which takes the answers as independent; NaN without any."""
        return wilson_interval(self.same, self.of)

    @property
    def percent(self) -> str:
        """The share as text, "60 %"."""
        return columns.percent(self.same / self.of) if self.of else "–"

    @property
    def interval_text(self) -> str:
        """The interval as text, "31 % to 83 %"."""
        return f"{columns.percent(self.interval.low)} to {columns.percent(self.interval.high)}" if self.of else "–"


def together(people: Iterable[Said], other: Said) -> Agreement:
    """Compare the answers of people face by face, and count them all together; None counts as no answer."""
    pairs = [pair for said in people for pair in zip(said, other, strict=False) if None not in pair]
    return Agreement(sum(one == two for one, two in pairs), len(pairs))


def agreement(said: Said, other: Said) -> Agreement:
    """Compare answers face by face, up to the end of the shorter of the two; None counts as no answer."""
    return together([said], other)


def own_table(said: Said, game: Game) -> pd.DataFrame:
    """Return how one person and each yardstick agree with the person, the label and the annotators.

    Returns:
        One row for the person and each yardstick: `who`, `you` ("6 of 10"; empty for the person), `interval` (of
        `you`), `label`, and `annotators` where votes are known.
    """
    everyone = pd.Series({YOU: tuple(said), **game.all})
    with_you = everyone.map(lambda answers: agreement(said, answers))
    table = pd.DataFrame({"you": with_you.map(str), "interval": with_you.map(lambda same: same.interval_text)})
    table.loc[YOU] = ""
    for column, who in (("label", LABEL), ("annotators", ANNOTATORS)):
        if who in game.main:
            table[column] = [str(agreement(answers, game.main[who])) for answers in everyone]
            table.loc[who, column] = ""
    return table.rename_axis("who").reset_index()


def people_table(people: Mapping[str, Said], game: Game) -> pd.DataFrame:
    """Return one row for each person: `name`, `answers` so far, and the agreement with each main yardstick as text."""
    said = pd.Series(dict(people), dtype=object)
    table = {who: [str(agreement(one, answers)) for one in said] for who, answers in game.main.items()}
    return pd.DataFrame({"name": said.index, "answers": [len(one) for one in said], **table})


def class_table(people: Sequence[Said], game: Game) -> pd.DataFrame:
    """Return one row for each yardstick and model, over the answers of all people.

    Returns:
        Columns of text: `who`, `share` ("60 %"), `count` ("12 of 20" answers), `interval` (Wilson's 95 % interval of
        the share), and `label`: how often the yardstick itself gives the label ("6 of 10" faces).
    """
    rows = []
    for who, answers in game.all.items():
        same = together(people, answers)
        label = "" if who == LABEL else str(agreement(answers, game.main[LABEL]))
        rows.append((who, same.percent, str(same), same.interval_text, label))
    return pd.DataFrame(rows, columns=["who", "share", "count", "interval", "label"])


def expression_table(people: Sequence[Said], game: Game) -> pd.DataFrame:
    """Return one row for each label of the round: `expression`, `faces`, and the agreement with each main yardstick."""
    rows = []
    for expression in EXPRESSIONS:
        of_it = [label == expression for label in game.main[LABEL]]
        part = [tuple(compress(said, of_it)) for said in people]
        same = {who: str(together(part, tuple(compress(said, of_it)))) for who, said in game.main.items()}
        rows.append({"expression": expression, "faces": sum(of_it), **same})
    return pd.DataFrame([row for row in rows if row["faces"]])


def face_table(said: Mapping[str, Said], game: Game) -> pd.DataFrame:
    """Return one row for each face: `face` (from 1), a column for each person in `said`, for each yardstick and model.

    An answer that is missing is "–".
    """
    columns = {who: pd.Series(list(answers), dtype=object) for who, answers in {**said, **game.all}.items()}
    table = pd.DataFrame(columns).fillna("–")
    table.insert(0, "face", range(1, len(table) + 1))
    return table


def answer_counts(people: Iterable[Said], face: int) -> list[int]:
    """Return how many people gave each of `labels.EXPRESSIONS` to a face, by its place in the round, from 0."""
    counts = Counter(said[face] for said in people if face < len(said))
    return [counts[expression] for expression in EXPRESSIONS]
