"""How often people agree with the label, the annotators and the models: by person, together, and by expression."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core import columns
from fer_core.labels import EXPRESSIONS, NUM_CLASSES
from fer_core.metrics.intervals import Interval, wilson_interval
from fer_core.quiz.yardsticks import ANNOTATORS, LABEL, Said, Yardsticks

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
    rows = []
    for who, answers in {YOU: tuple(said), **compared.all}.items():
        with_you = agreement(said, answers)
        row = {"who": who, "you": "", "interval": ""}
        if who != YOU:
            row |= {"you": str(with_you), "interval": with_you.interval_text}
        row["label"] = "" if who == LABEL else str(agreement(answers, compared.main[LABEL]))
        if ANNOTATORS in compared.main:
            row["annotators"] = "" if who == ANNOTATORS else str(agreement(answers, compared.main[ANNOTATORS]))
        rows.append(row)
    return pd.DataFrame(rows)


def people_table(people: Mapping[str, Sequence[str | None]], compared: Yardsticks) -> pd.DataFrame:
    """Return one row for each person: `name`, `answers`, and the agreement with each main yardstick as text.

    Args:
        people: the answers so far by name.
        compared: what they are compared with.
    """
    columns = ["name", "answers", *compared.main]
    rows = [
        [name, len(said), *(str(agreement(said, answers)) for answers in compared.main.values())]
        for name, said in people.items()
    ]
    return pd.DataFrame(rows, columns=columns)


def class_table(people: Sequence[Sequence[str | None]], compared: Yardsticks) -> pd.DataFrame:
    """Return one row for each yardstick and model, over the answers of all people.

    Returns:
        Columns of text: `who`, `share` ("60 %"), `count` ("12 of 20" answers), `interval` (Wilson's 95 % interval of
        the share), and `label`: how often the yardstick itself gives FER2013's label ("6 of 10" faces).
    """
    rows = []
    for who, answers in compared.all.items():
        found = together(people, answers)
        rows.append(
            {
                "who": who,
                "share": found.percent,
                "count": str(found),
                "interval": found.interval_text,
                "label": "" if who == LABEL else str(agreement(answers, compared.main[LABEL])),
            }
        )
    return pd.DataFrame(rows)


def expression_table(people: Sequence[Sequence[str | None]], compared: Yardsticks) -> pd.DataFrame:
    """Return one row for each of FER2013's labels in the round: `expression`, `faces`, and agreement as text.

    Args:
        people: the answers of each person.
        compared: what they are compared with; the agreement has a column for each main yardstick.
    """
    labels = compared.main[LABEL]
    rows = []
    for expression in EXPRESSIONS:
        places = [place for place, label in enumerate(labels) if label == expression]
        if not places:
            continue
        part = [[said[place] for place in places if place < len(said)] for said in people]
        row: dict[str, object] = {"expression": expression, "faces": len(places)}
        for who, answers in compared.main.items():
            row[who] = str(together(part, [answers[place] for place in places]))
        rows.append(row)
    return pd.DataFrame(rows)


def face_table(said: Mapping[str, Said], compared: Yardsticks) -> pd.DataFrame:
    """Return one row for each face: `face` (from 1), a column for each person in `said`, for each yardstick and model.

    An answer that is missing is "–".
    """
    columns = {**said, **compared.all}
    faces = len(compared.main[LABEL])
    table = {
        who: [(answers[k] if k < len(answers) else None) or "–" for k in range(faces)]
        for who, answers in columns.items()
    }
    return pd.DataFrame({"face": range(1, faces + 1), **table})


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
