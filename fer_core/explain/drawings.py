"""Simple drawings of the seven expressions: what does a model of photos say of them?"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from fer_core.types import Image

SIDE: Final = 480  # pixels of a drawing while it is drawn
BACKGROUND, HAIR, SKIN, SHADE = (200, 212, 222), (70, 45, 35), (232, 190, 160), (205, 155, 125)
WHITE, IRIS, LIPS, MOUTH = (250, 250, 250), (60, 80, 110), (180, 85, 85), (120, 40, 45)


class Look(NamedTuple):
    """What makes an expression in a drawing."""

    brows: float  # slope, positive where the inner ends are raised
    raised: int  # pixels by which the brows are raised
    eyes: float  # how far they are open, as a multiple of the usual
    corners: float  # of the mouth, positive where they are up
    opened: float  # the mouth, 0 for closed


LOOKS: Final = {
    "angry": Look(-0.35, -8, 0.7, -0.5, 0.0),
    "disgust": Look(-0.2, -4, 0.5, -0.4, 0.25),
    "fear": Look(0.35, 14, 1.35, -0.35, 0.45),
    "happy": Look(0.0, 6, 0.8, 1.0, 0.35),
    "sad": Look(0.45, 4, 0.75, -0.8, 0.0),
    "surprise": Look(0.0, 22, 1.5, 0.0, 1.0),
    "neutral": Look(0.0, 0, 1.0, 0.0, 0.0),
}


def drawing(expression: str) -> Image:
    """Return the drawing of an expression, `(480, 480, 3)` RGB uint8."""
    look, picture = LOOKS[expression], np.full((SIDE, SIDE, 3), BACKGROUND, np.uint8)

    def ellipse(x: float, y: float, width: float, height: float, color: tuple[int, int, int]) -> None:
        cv2.ellipse(picture, (round(x), round(y)), (round(width), round(height)), 0, 0, 360, color, -1, cv2.LINE_AA)

    cv2.rectangle(picture, (190, 380), (290, 480), SHADE, -1)  # the neck
    ellipse(240, 235, 132, 172, HAIR)
    ellipse(240, 262, 118, 158, SKIN)
    for side in (-1, 1):
        ellipse(240 + side * 118, 262, 16, 34, SKIN)  # an ear
        x, high = 240 + side * 50, 14 * look.eyes
        ellipse(x, 236, 25, high, WHITE)
        ellipse(x, 236, 11, min(11.0, high), IRIS)
        ellipse(x, 236, 5, min(5.0, high), HAIR)
        cv2.ellipse(picture, (x, 236), (25, round(high)), 0, 180, 360, HAIR, 4, cv2.LINE_AA)  # the upper lid
        brow, slope = 200 - look.raised, round(side * look.brows * 27)
        cv2.line(picture, (x - 27, brow - slope), (x + 27, brow + slope), HAIR, 9, cv2.LINE_AA)
    cv2.line(picture, (240, 250), (232, 298), SHADE, 5, cv2.LINE_AA)  # the nose
    cv2.ellipse(picture, (240, 304), (20, 9), 0, 0, 180, SHADE, 5, cv2.LINE_AA)
    across = np.linspace(-1, 1, 31)
    width, middle = (28, np.sqrt(1 - across**2)) if look.opened == 1 else (52, 1 - across**2)  # round, or a lens
    line = 350 - look.corners * 26 * (1 - middle)
    edges = (line - 20 * look.opened * middle, line + 44 * look.opened * middle)
    outline = np.concatenate([np.c_[240 + width * across, edge][:: 1 - 2 * last] for last, edge in enumerate(edges)])
    if look.opened:
        cv2.fillPoly(picture, [outline.astype(np.int32)], MOUTH, cv2.LINE_AA)
    cv2.polylines(picture, [outline.astype(np.int32)], isClosed=True, color=LIPS, thickness=6, lineType=cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.2), np.uint8)


def drawings() -> Image:
    """Return small drawings of all seven in two rows, `(480, 960, 3)` RGB uint8."""
    small = [cv2.resize(drawing(name), (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA) for name in LOOKS]
    small.append(np.full_like(small[0], BACKGROUND))
    return np.asarray(np.vstack([np.hstack(small[:4]), np.hstack(small[4:])]), np.uint8)
