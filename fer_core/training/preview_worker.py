"""The process that varies faces with the very layers of training: `python -m fer_core.training.preview_worker`.

It reads one JSON line a request and answers each with one, until its input ends.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from typing import Any, TextIO

import keras
import numpy as np
from numpy.typing import NDArray

from fer_core.training.augmentation import Augmentation
from fer_core.training.augmentation_layers import augmentation_layers


def draw(face: NDArray[np.uint8], augmentation: Augmentation, draws: int, seed: int) -> NDArray[np.uint8]:
    """Vary one face, as a batch of `draws` copies of it is varied in training.

    Args:
        face: `(48, 48)` uint8 gray.
        augmentation: how strongly.
        draws: how many variations.
        seed: of the layers.

    Returns:
        `(draws, crop, crop)` uint8; training sees the same, not rounded.
    """
    batch: Any = np.repeat(face[None, ..., None].astype(np.float32), draws, axis=0)
    for layer in augmentation_layers(augmentation, seed):
        batch = layer(batch, training=True)
    levels = np.asarray(keras.ops.convert_to_numpy(batch))[..., 0]
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def answer(line: str) -> str:
    """Answer one request: `face`, `draws`, `seed` and the fields of `augmentation` in; `faces` or `error` out."""
    try:
        asked = json.loads(line)
        face = np.frombuffer(base64.b64decode(asked["face"]), np.uint8).reshape(48, 48)
        values = asked["augmentation"]
        augmentation = Augmentation(**{**values, "scale": tuple(values["scale"])})
        faces = draw(face, augmentation, int(asked["draws"]), int(asked["seed"]))
    except Exception as error:  # the process goes on; whoever asked is told
        return json.dumps({"error": f"{type(error).__name__}: {error}"})
    return json.dumps({"faces": base64.b64encode(faces.tobytes()).decode(), "side": augmentation.crop})


def main(requests: TextIO, answers: TextIO) -> None:
    """Answer requests until there are no more."""
    for line in requests:
        answers.write(answer(line) + "\n")
        answers.flush()


if __name__ == "__main__":
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print must not stand between the answers
    main(sys.stdin, replies)
