"""What answers of a round are compared with: FER2013's label, most annotators, most models, and each model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from fer_core.labels import EXPRESSIONS
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


def yardsticks(a_round: Round, answers: Iterable[Predictions]) -> Yardsticks:
    """Return what a round's answers are compared with.

    Args:
        a_round: the faces.
        answers: the stored predictions of the models, one for each test split.
    """
    models = model_answers(a_round, answers)
    main: dict[str, Said] = {LABEL: a_round.labels}
    if a_round.has_votes:
        main[ANNOTATORS] = tuple(face.majority for face in a_round.faces)
    if len(models) > 1:
        main[MODELS] = tuple(most_say(said) for said in zip(*models.values(), strict=True))
    return Yardsticks(main, models)


def model_answers(a_round: Round, answers: Iterable[Predictions]) -> dict[str, Said]:
    """Return each model's answers by its title; None for a face without a prediction that belongs to it.

    Args:
        a_round: the faces.
        answers: the stored predictions of the models, one for each test split.
    """
    tables = {table.split: table for table in answers}
    titles = dict.fromkeys(title for table in tables.values() for title in table.titles.values())
    found: dict[str, list[str | None]] = {title: [None] * len(a_round.faces) for title in titles}
    for number, face in enumerate(a_round.faces):
        table = tables.get(face.split)
        if table is None:
            continue
        known = np.flatnonzero(table.rows == face.row)
        if len(known) != 1 or EXPRESSIONS[table.given[known[0]]] != face.label:
            continue
        for name, probabilities in table.probabilities.items():
            found[table.titles[name]][number] = EXPRESSIONS[int(probabilities[known[0]].argmax())]
    return {title: tuple(said) for title, said in found.items() if any(said)}


def most_say(said: Iterable[str | None]) -> str | None:
    """Return the most frequent answer; None if there is a tie or no answer."""
    counts = Counter(one for one in said if one is not None).most_common(2)
    if not counts or (len(counts) == 2 and counts[0][1] == counts[1][1]):
        return None
    return counts[0][0]
