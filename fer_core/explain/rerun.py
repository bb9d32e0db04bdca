"""Edit and rerun: change a face's picture and ask the model again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fer_core.explain.edits import Edits, close_up
from fer_core.inference import FaceAnalyzer
from fer_core.types import Face, FaceResult, Image


@dataclass(frozen=True, eq=False)
class EditedFace:
    """One face after its picture was changed.

    Attributes:
        image: `(side, side, 3)` RGB uint8, the changed close-up.
        result: what the model says now; None if the face was to be found again and was not.
    """

    image: Image
    result: FaceResult | None


def edit_and_rerun(
    analyzer: FaceAnalyzer, image: Image, face: Face, edits: Edits, find_again: bool = False
) -> EditedFace:
    """Change the surroundings of one face and classify it again.

    Args:
        analyzer: finds and classifies.
        image: `(height, width, 3)` RGB uint8, the whole picture.
        face: a face of it.
        edits: what to change.
        find_again: False: cut the face out exactly as before, so that only the model is put to the test. True: look
            for the face anew in the changed picture, as with any new picture.
    """
    part, there = close_up(image, face)
    changed = edits.apply(part, [there])
    found = analyzer.detector.detect(changed) if find_again else [there]
    if not found:
        return EditedFace(changed, None)
    return EditedFace(changed, analyzer.classify(changed, [_nearest(found, there)])[0])


def _nearest(faces: list[Face], face: Face) -> Face:
    """The one of several faces whose centre lies nearest to another face's."""
    return min(faces, key=lambda other: math.dist(_centre(other), _centre(face)))


def _centre(face: Face) -> tuple[float, float]:
    x, y, width, height = face.box
    return x + width / 2, y + height / 2
