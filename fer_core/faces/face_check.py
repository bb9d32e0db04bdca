"""A small network that tells faces from the false hits of the Haar cascades.

`face_check.tflite` beside this module was trained by `fer-lab faces train`; `face_check.json` says how, and what was
measured.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.threads import Pool
from fer_core.types import Image

FILE: Final = Path(__file__).with_name("face_check.tflite")
SIDE: Final = 32  # pixels of the network's square input
BATCH: Final = 32  # windows per call of the interpreter
FLATTEST: Final = 8.0
"""Gray levels. A window with a smaller standard deviation has too little contrast for a face, and is not enlarged."""


def cut_windows(gray: Image, windows: NDArray[np.int32]) -> NDArray[np.float32]:
    """Cut square windows out of a gray picture, scaled to the network's input and standardized.

    Args:
        gray: `(height, width)` uint8.
        windows: `(n, 3)` left, top and side in pixels, inside the picture.

    Returns:
        `(n, 32, 32)` float32: each window with mean 0 and standard deviation 1, smaller if it is nearly flat.
    """
    cut = np.empty((len(windows), SIDE, SIDE), np.float32)
    for window, (x, y, side) in zip(cut, windows, strict=True):
        enlarged = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
        window[:] = cv2.resize(gray[y : y + side, x : x + side], (SIDE, SIDE), interpolation=enlarged)
    return standardized(cut)


def standardized(windows: NDArray[Any]) -> NDArray[np.float32]:
    """Return `(n, height, width)` windows with mean 0 and standard deviation 1, smaller if they are nearly flat."""
    levels = windows.astype(np.float32)
    spread = np.maximum(levels.std((1, 2), keepdims=True), FLATTEST)
    return (levels - levels.mean((1, 2), keepdims=True)) / spread


def face_probability(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how probable it is that each window shows a face.

    Args:
        windows: `(n, 32, 32)` float32 as `cut_windows` returns them. `n` may be 0.

    Returns:
        `(n,)` float32 from 0 to 1.
    """
    found = np.empty(len(windows), np.float32)
    with _interpreters().borrow() as run:
        for start in range(0, len(windows), BATCH):
            part = windows[start : start + BATCH]
            padded = np.zeros((BATCH, SIDE, SIDE, 1), np.float32)
            padded[: len(part), ..., 0] = part
            found[start : start + BATCH] = run(window=padded)["face"][: len(part), 0]
    return found


@cache
def _interpreters() -> Pool[Any]:
    from ai_edge_litert.interpreter import Interpreter

    content = FILE.read_bytes()

    def make() -> Any:
        interpreter = Interpreter(model_content=content, num_threads=1)
        return interpreter.get_signature_runner("serving_default")

    return Pool(make)
