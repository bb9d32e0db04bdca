"""Made-up streams: the portrait's head moving over gray, and detectors that find what they are told."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from fer_core.data import sample_portrait
from fer_core.inference import Prediction
from fer_core.labels import EXPRESSIONS
from fer_core.types import Face, Image

Box = tuple[float, float, float, float]
BLANK: Image = np.full((120, 160, 3), 128, np.uint8)


def frame_with_heads(places: Sequence[tuple[int, int]], side: int = 150, size: tuple[int, int] = (640, 480)) -> Image:
    """Return a gray RGB frame of that (width, height) with heads whose left upper corners are at `places`."""
    frame = np.full((size[1], size[0], 3), 128, np.uint8)
    head = cv2.resize(sample_portrait()[:240, 110:350], (side, side), interpolation=cv2.INTER_AREA)
    for x, y in places:
        frame[y : y + side, x : x + side] = head
    return frame


class ScriptedDetector:
    """Finds the boxes that a script names for the frame, which it knows by its first pixel's red."""

    note = None

    def __init__(self, script: Callable[[int], Sequence[Box]]) -> None:
        self.script = script
        self.looks = 0

    def detect(self, image: Image, thorough: bool = True) -> list[Face]:
        assert not thorough
        self.looks += 1
        return [Face(box, 0.9) for box in self.script(int(image[0, 0, 0]))]


class ScriptedClassifier:
    """Says of every face the probabilities that it is told, with the same evidence at every place."""

    input_size = 48
    locates = True
    not_sure_below, classes = 0.0, EXPRESSIONS

    def __init__(self, says: Sequence[float]) -> None:
        self.says = np.array(says, np.float32)

    def predict(self, faces: np.ndarray, flip: bool = False) -> Prediction:
        count = len(faces)
        return Prediction(np.tile(self.says, (count, 1)), np.tile(self.says, (count, 2, 2, 1)))


def one_hot(k: int) -> list[float]:
    return [float(i == k) for i in range(7)]


def numbered_frame(number: int) -> Image:
    """Return a small frame that `ScriptedDetector` knows as `number`, 0 to 255."""
    frame = BLANK.copy()
    frame[0, 0, 0] = number
    return frame
