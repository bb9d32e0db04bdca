"""What answers of a round are compared with, and how often people agree: by person, together, by expression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core import columns
from fer_core.labels import EXPRESSIONS, NUM_CLASSES
from fer_core.metrics.intervals import Interval, wilson_interval
from fer_core.metrics.predictions import Predictions
from fer_core.quiz.rounds import Round

LABEL: Final = "FER2013’s label"
ANNOTATORS: Final = "Most annotators"
MODELS: Final = "Most models"

Said = tuple[str | None, ...]
"""One answer for each face of a round; None where there is none or no clear one."""


@dataclass(frozen=True)
class Yardsticks:
    """The answers that people's answers are compared with.

    Attributes:
        main: by name, `LABEL`, `ANNOTATORS` where votes are known, `MODELS` where there are two models or more.
        models: by the title of the model.
    """

    main: Mapping[str, Said]
    models: Mapping[str, Said] = field(default_factory=dict)

    @property
    def all(self) -> dict[str, Said]:
        """`main`, then `models`."""
        return {**self.main, **self.models}


def yardsticks(drawn: Round, predictions: Iterable[Predictions]) -> Yardsticks:
    """Return what a round's answers are compared with.

    Args:
        drawn: the round.
        predictions: the stored predictions of the models, one for each test split.
    """
    models = model_answers(drawn, predictions)
    main: dict[str, Said] = {LABEL: drawn.labels}
    if drawn.has_votes:
        main[ANNOTATORS] = tuple(face.majority for face in drawn.faces)
    if len(models) > 1:
        main[MODELS] = tuple(map(most_say, zip(*models.values(), strict=True)))
    return Yardsticks(main, models)


def model_answers(drawn: Round, predictions: Iterable[Predictions]) -> dict[str, Said]:
    """Return each model's answers by its title; None for a face without a prediction that belongs to it.

    Args:
        drawn: the round.
        predictions: the stored predictions of the models, one for each test split.
    """
    answers: dict[str, list[str | None]] = {}
    for table in predictions:
        for number, face in enumerate(drawn.faces):
            known = np.flatnonzero(table.rows == face.row)
            if face.split == table.split and len(known) == 1 and EXPRESSIONS[table.given[known[0]]] == face.label:
                for name, probabilities in table.probabilities.items():
                    said = answers.setdefault(table.titles[name], [None] * len(drawn.faces))
                    said[number] = EXPRESSIONS[int(probabilities[known[0]].argmax())]
    return {title: tuple(said) for title, said in answers.items()}


def most_say(said: Iterable[str | None]) -> str | None:
    """Return the most frequent answer; None if there is a tie or no answer."""
    counts = Counter(one for one in said if one is not None).most_common(2)
    if not counts or (len(counts) == 2 and counts[0][1] == counts[1][1]):
        return None
    return counts[0][0]


YOU = "You"


@dataclass(frozen=True)
class Agreement:
    """How many answers are the same as those of a yardstick.

    Attributes:
        same: number of equal answers.
        of: number of faces on which both have an answer.
    """

    same: int = 0
    of: int = 0

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(self.same + other.same, self.of + other.of)

    def __str__(self) -> str:
        return f"{self.same} of {self.of}" if self.of else "–"

    @property
    def share(self) -> float:
        """Share of equal answers; NaN without any."""
        return self.same / self.of if self.of else float("nan")

    @property
    def interval(self) -> Interval:
        """Wilson's 95 % interval of the share, which takes the answers as independent; NaN without any."""
        return wilson_interval(self.same, self.of)

    @property
    def percent(self) -> str:
        """The share as text, "60 %"."""
        return columns.percent(self.share) if self.of else "–"

    @property
    def interval_text(self) -> str:
        """The interval as text, "31 % to 83 %"."""
        ends = (self.interval.low, self.interval.high)
        return " to ".join(columns.percent(end) for end in ends) if self.of else "–"


def agreement(said: Sequence[str | None], other: Sequence[str | None]) -> Agreement:
    """Compare answers face by face, up to the end of the shorter of the two; None counts as no answer."""
    both = [(one, two) for one, two in zip(said, other, strict=False) if one is not None and two is not None]
    return Agreement(sum(one == two for one, two in both), len(both))


def together(people: Iterable[Sequence[str | None]], other: Sequence[str | None]) -> Agreement:
    """Compare the answers of several people and count them all together."""
    return sum((agreement(said, other) for said in people), Agreement())


def own_table(said: Sequence[str | None], compared: Yardsticks) -> pd.DataFrame:
    """Return how one person and each yardstick agree with the person, the label and the annotators.

    Returns:
        One row for the person and each yardstick: `who`, `you` ("6 of 10"; empty for the person), `interval` (of
        `you`), `label`, and `annotators` where votes are known.
    """
    everyone = pd.Series({YOU: tuple(said), **compared.all})
    with_you = everyone.map(lambda answers: agreement(said, answers))
    table = pd.DataFrame({"you": with_you.map(str), "interval": with_you.map(lambda one: one.interval_text)})
    table.loc[YOU] = ""
    for column, who in (("label", LABEL), ("annotators", ANNOTATORS)):
        if who in compared.main:
            table[column] = [str(agreement(answers, compared.main[who])) for answers in everyone]
            table.loc[who, column] = ""
    return table.rename_axis("who").reset_index()


def people_table(people: Mapping[str, Sequence[str | None]], compared: Yardsticks) -> pd.DataFrame:
    """Return one row for each person: `name`, `answers`, and the agreement with each main yardstick as text.

    Args:
        people: the answers so far by name.
        compared: what they are compared with.
    """
    said = pd.Series(dict(people), dtype=object)
    table = {who: [str(agreement(one, answers)) for one in said] for who, answers in compared.main.items()}
    return pd.DataFrame({"name": said.index, "answers": [len(one) for one in said], **table})


def class_table(people: Sequence[Sequence[str | None]], compared: Yardsticks) -> pd.DataFrame:
    """Return one row for each yardstick and model, over the answers of all people.

    Returns:
        Columns of text: `who`, `share` ("60 %"), `count` ("12 of 20" answers), `interval` (Wilson's 95 % interval of
        the share), and `label`: how often the yardstick itself gives FER2013's label ("6 of 10" faces).
    """
    rows = []
    for who, answers in compared.all.items():
        same = together(people, answers)
        label = "" if who == LABEL else str(agreement(answers, compared.main[LABEL]))
        rows.append((who, same.percent, str(same), same.interval_text, label))
    return pd.DataFrame(rows, columns=["who", "share", "count", "interval", "label"])


def expression_table(people: Sequence[Sequence[str | None]], compared: Yardsticks) -> pd.DataFrame:
    """Return one row for each of FER2013's labels in the round: `expression`, `faces`, and agreement as text.

    Args:
        people: the answers of each person.
        compared: what they are compared with; the agreement has a column for each main yardstick.
    """
    rows = []
    for expression in EXPRESSIONS:
        of_it = [label == expression for label in compared.main[LABEL]]
        part = [tuple(compress(said, of_it)) for said in people]
        same = {who: str(together(part, tuple(compress(said, of_it)))) for who, said in compared.main.items()}
        rows.append({"expression": expression, "faces": sum(of_it), **same})
    return pd.DataFrame([row for row in rows if row["faces"]])


def face_table(said: Mapping[str, Said], compared: Yardsticks) -> pd.DataFrame:
    """Return one row for each face: `face` (from 1), a column for each person in `said`, for each yardstick and model.

    An answer that is missing is "–".
    """
    columns = {who: pd.Series(answers, dtype=object) for who, answers in {**said, **compared.all}.items()}
    table = pd.DataFrame(columns).fillna("–")
    table.insert(0, "face", range(1, len(table) + 1))
    return table


def answer_counts(people: Iterable[Sequence[str | None]], face: int) -> NDArray[np.int64]:
    """Return how many people gave each of the seven answers to a face, `(7,)` in the order of `labels.EXPRESSIONS`.

    Args:
        people: the answers of each person.
        face: place of the face in the round, from 0.
    """
    counts = np.zeros(NUM_CLASSES, np.int64)
    for said in people:
        if face < len(said) and (answer := said[face]) is not None:
            counts[EXPRESSIONS.index(answer)] += 1
    return counts
