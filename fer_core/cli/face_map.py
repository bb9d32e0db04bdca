"""The map of faces, for `evaluate --map`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fer_core.cli.output import warn
from fer_core.data import FaceDataset
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError


def arranged(model: StoredModel, dataset: FaceDataset) -> pd.DataFrame | None:
    """Return the map of a model; None, with a warning, if it cannot be made."""
    from fer_core.training.face_map import stored_face_map

    try:
        return stored_face_map(model, dataset)
    except FerError as error:
        warn(str(error))
        return None


def map_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows for `--json`."""
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def map_line(table: pd.DataFrame) -> str:
    """Return how many faces the map has, and how far it agrees with the features, in a sentence."""
    from fer_core.training.face_map import NEIGHBOURS

    return (
        f"Map of {len(table):,} faces: of the {NEIGHBOURS} faces with the most similar features, "
        f"{table['kept'].mean():.1f} on average are among the {NEIGHBOURS} nearest on the map."
    )
