"""What a round of the quiz needs: the faces, and the answers that people's answers are compared with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import streamlit as st

from fer_core.columns import TEST_SPLITS
from fer_core.data import FerDataset
from fer_core.data.fer2013_faces import Fer2013Faces
from fer_core.metrics.predictions import Predictions
from fer_core.quiz import Rooms, Round, Yardsticks, draw_round, yardsticks
from fer_core.store.folders import list_models
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError
from pages.parts.common import with_code
from pages.parts.compare.results import Selection, all_answers, stamps

HIGHEST_SEED: Final = 9999
INTRODUCTION: Final = (
    "Name the expression on ten faces, alone or with a class. Then see the label, what ten annotators said and what "
    "models say."
)


@dataclass(frozen=True)
class Game:
    """A round with what its answers are compared with."""

    round: Round
    compared: Yardsticks


def game(faces: Fer2013Faces, seed: int, names: Iterable[str] | None = None) -> Game:
    """Return a round; end the page with a sentence if it cannot be drawn.

    Args:
        faces: FER2013's faces, which must be there.
        seed: of the round.
        names: of the models to compare with; None for all that can predict.
    """
    dataset = faces.dataset
    assert dataset is not None
    try:
        drawn = _round(dataset, dataset.fingerprint, dataset.votes is not None, seed)
    except FerError as error:
        st.info(with_code(str(error)), icon=":material/info:")
        st.stop()
    tables = model_tables()
    if names is not None:
        chosen = set(names)
        tables = [table.only(chosen & set(table.names)) for table in tables if chosen & set(table.names)]
    return Game(drawn, yardsticks(drawn, tables))


def model_tables() -> list[Predictions]:
    """Return the stored predictions of all models that can predict, for each test split that has any."""
    models: list[StoredModel] = list_models(servable=True)[0]
    found = [all_answers(Selection(stamps(models), split, "plain"))[0] for split in TEST_SPLITS]
    return [table for table in found if table is not None]


def rooms() -> Rooms:
    """Return the rooms of this server, which all sessions and copies of the app share; end the page without them."""
    try:
        return Rooms()
    except FerError as error:
        st.error(with_code(str(error)), icon=":material/error:")
        st.stop()


@st.cache_resource(max_entries=64, show_spinner=False)
def _round(_dataset: FerDataset, fingerprint: str, votes: bool, seed: int) -> Round:  # noqa: ARG001 (the cache key)
    return draw_round(_dataset, seed)
