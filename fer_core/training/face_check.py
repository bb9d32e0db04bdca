"""Train the network that checks the hits of the Haar cascades: faces of FER2013 against pictures without a face.

Most pictures without a face are windows that the cascades themselves take for one. A second round adds the windows
that the network of the first round takes for a face.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import cv2
import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from fer_core.data.images import resized
from fer_core.faces.face_check import SIDE, standardized
from fer_core.faces.haar import BOX_SIDE, face_windows
from fer_core.types import FerError, Image

EPOCHS: Final = 6  # of each round
BATCH: Final = 128
LEARNING_RATE: Final = 2e-3
PICTURE_SIDES: Final = (240, 420, 720, 1100)  # pixels of the longest side in which pictures are searched
FACE_SIDES: Final = (24, 90)  # pixels of FER2013's frame when it is put on a picture
SMALL_PICTURE: Final = 700  # pixels; several such pictures are laid out on one
FEWEST_SCENES: Final = 20
COPIES: Final = 3  # views of each face
DIFFICULT: Final = 0.05  # windows without a face that get at least this probability are added for the second round
MOST_NEGATIVES: Final = 150_000


def train_face_check(
    faces: NDArray[np.uint8],
    pictures: Sequence[Image],
    seed: int = 0,
    epochs: int = EPOCHS,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[keras.Model, dict[str, float]]:
    """Train the network.

    Args:
        faces: `(n, 48, 48)` uint8 gray faces, framed like FER2013's.
        pictures: RGB pictures without a face, of any size.
        seed: of the random numbers.
        epochs: passes over the windows in each of the two rounds.
        say: called with a sentence for each step.

    Returns:
        The network, from `(batch, 32, 32, 1)` standardized windows to the probability of a face, and what was measured
        on every tenth face and scene, which were not used for training.

    Raises:
        FerError: there are too few pictures.
    """
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    scenes = list(_scenes(pictures, rng))
    if len(scenes) < FEWEST_SCENES:
        raise FerError(
            f"Too few pictures without a face: expected enough for {FEWEST_SCENES} scenes, as 20 large photos in "
            f"several sizes. Received: {len(pictures)} pictures, which make {len(scenes)} scenes"
        )
    held_out = np.arange(len(faces)) % 10 == 0
    kept, watched = [s for k, s in enumerate(scenes) if k % 10], scenes[::10]
    say(f"{len(faces):,} faces, {len(scenes):,} scenes without a face")
    positive = np.concatenate([_face_views(faces[~held_out], kept, rng) for _ in range(COPIES)])
    negative = np.concatenate(
        [_hits(kept), _random_windows(kept, 20_000, rng), _face_parts(faces[~held_out], kept, rng)]
    )
    test_faces = _face_views(faces[held_out], watched, rng)
    test_hits = _hits(watched)
    say(f"{len(positive):,} windows with a face, {len(negative):,} without")
    network = face_check_network()
    _fit(network, positive, _thinned(negative, rng), epochs, LEARNING_RATE, rng)
    say(_line(_measured(network, test_faces, test_hits)))
    turned = [view for scene in kept for view in (np.rot90(scene), np.rot90(scene, 2), scene[:, ::-1], 255 - scene)]
    more = _hits([np.ascontiguousarray(view) for view in turned])
    more = more[_probabilities(network, more) >= DIFFICULT]
    parts = np.concatenate([_face_parts(faces[~held_out], kept, rng) for _ in range(2)])
    parts = parts[_probabilities(network, parts) >= DIFFICULT]
    negative = np.concatenate([negative, more, parts])
    say(f"Second round with {len(more) + len(parts):,} more windows without a face")
    _fit(network, positive, _thinned(negative, rng), epochs, LEARNING_RATE, rng)
    measured = _measured(network, test_faces, test_hits)
    say(_line(measured))
    return network, measured


def face_check_network() -> keras.Model:
    """Return the untrained network: four convolutions, about 25,000 parameters."""
    x = inputs = keras.Input((SIDE, SIDE, 1), name="window")
    for filters in (12, 24, 32):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(32, 4, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="face")(layers.GlobalMaxPooling2D()(x)))


def face_check_file(network: keras.Model) -> bytes:
    """Convert the network to a LiteRT file with float16 weights. Needs Keras on TensorFlow."""
    import tensorflow as tf

    shape = keras.InputSpec(shape=(None, SIDE, SIDE, 1), dtype="float32", name="window")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        keras.Model(network.inputs, {"face": network.outputs[0]}).export(
            path,
            format="litert",
            input_signature=[shape],
            verbose=False,
            optimizations=[tf.lite.Optimize.DEFAULT],
            target_spec={"supported_types": [tf.float16], "supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]},
            experimental_enable_resource_variables=False,
        )
        return path.read_bytes()


def _scenes(pictures: Sequence[Image], rng: np.random.Generator) -> Iterator[Image]:
    """Yield gray pictures in several sizes; small pictures are first laid out on collages."""
    large = [picture for picture in pictures if max(picture.shape[:2]) > SMALL_PICTURE]
    small = [picture for picture in pictures if max(picture.shape[:2]) <= SMALL_PICTURE]
    for start in range(0, len(small) * 3, 9):
        ground = large[int(rng.integers(len(large)))] if large else np.full((600, 800, 3), 200, np.uint8)
        collage = cv2.resize(cv2.cvtColor(ground, cv2.COLOR_RGB2GRAY), (800, 600), interpolation=cv2.INTER_AREA)
        for k in range(start, start + 9):
            item = cv2.cvtColor(small[k % len(small)], cv2.COLOR_RGB2GRAY)
            factor = rng.uniform(0.25, 1) * 260 / max(item.shape)
            item = cv2.resize(item, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            y, x = rng.integers(0, 600 - item.shape[0]), rng.integers(0, 800 - item.shape[1])
            collage[y : y + item.shape[0], x : x + item.shape[1]] = item
        yield collage
    for picture in large:
        for longest in PICTURE_SIDES:
            height, width = picture.shape[:2]
            factor = longest / max(height, width)
            if factor < 1 and min(height, width) * factor >= 2 * SIDE:
                yield cv2.cvtColor(
                    resized(picture, (round(width * factor), round(height * factor))), cv2.COLOR_RGB2GRAY
                )


def _hits(scenes: Sequence[Image]) -> NDArray[np.uint8]:
    """Return all windows that the cascades take for a face, `(n, 32, 32)`."""
    return _stack([_cut(scene, *window) for scene in scenes for window in face_windows(scene)])


def _random_windows(scenes: Sequence[Image], count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    found = []
    for _ in range(count):
        scene = scenes[int(rng.integers(len(scenes)))]
        side = int(rng.uniform(24, min(150, *scene.shape)))
        y, x = rng.integers(0, scene.shape[0] - side + 1), rng.integers(0, scene.shape[1] - side + 1)
        found.append(_cut(scene, x, y, side))
    return _stack(found)


def _pasted(face: Image, scenes: Sequence[Image], rng: np.random.Generator) -> tuple[Image, float, float, float]:
    """Put a face on a part of a picture: return it with the face's centre x, centre y and the side of its frame."""
    frame = float(np.exp(rng.uniform(*np.log(FACE_SIDES))))
    side = int(frame * 2.4)
    scene = scenes[int(rng.integers(len(scenes)))]
    if min(scene.shape) <= side:
        scene = cv2.resize(scene, (2 * side, 2 * side))
    y, x = rng.integers(0, scene.shape[0] - side), rng.integers(0, scene.shape[1] - side)
    patch = scene[y : y + side, x : x + side].astype(np.float32)
    if rng.random() < 0.5:
        face = face[:, ::-1]
    if frame < 48:  # without aliasing
        face = cv2.GaussianBlur(face, (0, 0), 0.4 * (48 / frame))
    turn = cv2.getRotationMatrix2D((23.5, 23.5), rng.uniform(-20, 20), frame / 48)
    turn[:, 2] += side / 2 - 24
    warped = cv2.warpAffine(face, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    soft = np.zeros((48, 48), np.float32)
    soft[3:-3, 3:-3] = 1
    mask = cv2.warpAffine(cv2.GaussianBlur(soft, (0, 0), 2), turn, (side, side))
    level = warped.astype(np.float32) / 255
    level = 255 * level ** np.exp(rng.normal(0, 0.3)) * rng.uniform(0.5, 1.0) + rng.uniform(0, 40)
    mixed = mask * level + (1 - mask) * patch
    if rng.random() < 0.3:
        mixed = cv2.GaussianBlur(mixed, (0, 0), rng.uniform(0.4, 0.04 * frame))
    mixed += rng.normal(0, rng.uniform(0, 6), mixed.shape)
    return np.clip(mixed, 0, 255).astype(np.uint8), side / 2, side / 2, frame


def _face_views(faces: NDArray[np.uint8], scenes: Sequence[Image], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return one window around each face, a little off as those of the cascades are."""
    found = []
    for face in faces:
        patch, x, y, frame = _pasted(face, scenes, rng)
        side = frame * BOX_SIDE * np.exp(rng.normal(0, 0.09))
        x, y = x + rng.normal(0, 0.05) * frame, y + rng.normal(0, 0.05) * frame
        found.append(_cut(patch, round(x - side / 2), round(y - side / 2), round(side)))
    return _stack(found)


def _face_parts(faces: NDArray[np.uint8], scenes: Sequence[Image], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return one window that shows a part of each face, or far too much of its surroundings, or it upside down."""
    found = []
    for face in faces:
        kind = rng.integers(4)
        patch, x, y, frame = _pasted(face[::-1] if kind == 0 else face, scenes, rng)
        side = frame * BOX_SIDE
        if kind == 1:
            side *= rng.uniform(0.3, 0.55)
            x, y = x + rng.uniform(-0.3, 0.3) * frame, y + rng.uniform(-0.3, 0.3) * frame
        elif kind == 2:
            side *= rng.uniform(1.8, 2.2)
        elif kind == 3:
            angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.45, 0.7)
            x, y = x + np.cos(angle) * far * frame, y + np.sin(angle) * far * frame
        found.append(_cut(patch, round(x - side / 2), round(y - side / 2), round(side)))
    return _stack(found)


def _cut(gray: Image, x: int, y: int, side: int) -> NDArray[np.uint8]:
    x, y = int(np.clip(x, 0, gray.shape[1] - 2)), int(np.clip(y, 0, gray.shape[0] - 2))
    part = gray[y : y + side, x : x + side]
    return cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR)


def _stack(windows: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.stack(windows) if windows else np.zeros((0, SIDE, SIDE), np.uint8)


def _thinned(windows: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    if len(windows) <= MOST_NEGATIVES:
        return windows
    return windows[rng.choice(len(windows), MOST_NEGATIVES, replace=False)]


def _fit(
    network: keras.Model,
    positive: NDArray[np.uint8],
    negative: NDArray[np.uint8],
    epochs: int,
    rate: float,
    rng: np.random.Generator,
) -> None:
    windows = standardized(np.concatenate([positive, negative]))[..., None]
    targets = np.repeat([1.0, 0.0], [len(positive), len(negative)]).astype(np.float32)
    weights = np.where(targets == 1, len(negative) / len(positive), 1.0).astype(np.float32)
    order = rng.permutation(len(windows))
    steps = epochs * -(-len(windows) // BATCH)
    network.compile(
        optimizer=keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(rate, steps), weight_decay=1e-3),
        loss=keras.losses.BinaryCrossentropy(label_smoothing=0.02),
        jit_compile=False,
    )
    network.fit(windows[order], targets[order], BATCH, epochs, sample_weight=weights[order], verbose=0)


def _probabilities(network: keras.Model, windows: NDArray[np.uint8]) -> NDArray[np.float32]:
    if not len(windows):
        return np.zeros(0, np.float32)
    return np.asarray(network.predict(standardized(windows)[..., None], batch_size=1024, verbose=0))[:, 0]


def _measured(network: keras.Model, faces: NDArray[np.uint8], hits: NDArray[np.uint8]) -> dict[str, float]:
    """Return the shares of faces that are kept, and of false hits that are rejected, at a probability of 0.5."""
    return {
        "faces_kept": float((_probabilities(network, faces) >= 0.5).mean()),
        "hits_rejected": float((_probabilities(network, hits) < 0.5).mean()),
    }


def _line(measured: dict[str, float]) -> str:
    return (
        f"Held out: {measured['faces_kept']:.1%} of the faces kept, "
        f"{measured['hits_rejected']:.1%} of the cascades' false hits rejected"
    )
