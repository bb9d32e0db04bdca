"""Divide Training into a part to train on and the hold-out, on which epochs, settings and models are chosen.

FER2013's hold-out is a fixed list of 2,669 rows. It is the stratified tenth that `_drawn` draws from
`fer2013.csv`, without the faces that have a copy with the same pixels in the rest. It is thus a part of the hold-out of
the models that were trained before there was a list, and no model that comes with FER Lab has learned a face of it.
A model learns them by the paper's split, and may if it was made elsewhere or starts from or was taught by such a model:
`fer_core.measuring.measure.not_new` tells which.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_core.data.dataset import FaceDataset
from fer_core.data.fer2013_rows import known_rows
from fer_core.types import FerError

LISTED: Final = "fixed list of rows"
DRAWN: Final = "stratified tenth"


def holdout_rule(training: FaceDataset) -> str:
    """Return how the hold-out of these faces is chosen: `LISTED` for FER2013, `DRAWN` for other faces."""
    return LISTED if np.isin(training.rows, known_rows().holdout).any() else DRAWN


def training_and_holdout(dataset: FaceDataset) -> tuple[FaceDataset, FaceDataset]:
    """Divide the Training split; both parts keep the dataset's order.

    The hold-out of FER2013 is the same in every edition and in every part of it. That of other faces is drawn.

    Raises:
        FerError: there is no Training split, or it is too small to divide by class.
    """
    training = dataset.split("training")
    held = np.isin(training.rows, known_rows().holdout)
    if not held.any():
        held = _drawn(training)
    return training.subset(~held), training.subset(held)


def _drawn(training: FaceDataset) -> NDArray[np.bool_]:
    """Draw a tenth, stratified by class, always the same for the same faces; `(n,)` whether a face is held out.

    A drawn face that has a copy with the same pixels among the others is not held out.
    """
    from sklearn.model_selection import train_test_split

    try:
        kept, held = train_test_split(
            np.arange(len(training)), test_size=0.1, stratify=training.labels, random_state=2013
        )
    except ValueError as error:
        raise FerError(
            f"{len(training)} Training faces are too few to hold out a tenth of every expression. Expected at "
            f"least two faces of each expression present, and ten times as many faces as expressions."
        ) from error
    others = {training.ids[index] for index in kept}
    mask = np.zeros(len(training), dtype=bool)
    mask[[index for index in held if training.ids[index] not in others]] = True
    return mask
