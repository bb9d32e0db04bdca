"""Degraded faces: noise, blur, low resolution, low light and occlusion in five strengths, to test models on; and
changes after which a model should say the same.

Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations" (ICLR 2019),
measure classifiers in this way, with five strengths of each kind.

Nothing here is random: noise and places follow from the pixels of each face, whatever other faces are given with it. A
stronger degradation has the same noise, or a square that covers the smaller one, so curves over the strengths are
smooth. Faces are `(n, height, width)` uint8 gray; a `FerError` says what level a function expects.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.types import FerError

Faces = NDArray[np.uint8]


class Degradation(NamedTuple):
    """One kind of degradation.

    Attributes:
        title: its name for people.
        unit: what a level is, in words.
        levels: from weak to strong.
        apply: takes faces and a level, and returns faces of the same shape and type.
    """

    title: str
    unit: str
    levels: tuple[float, float, float, float, float]
    apply: Callable[[Faces, float], Faces]


def degrade(faces: Faces, kind: str, level: float) -> Faces:
    """Return degraded copies of faces `(n, height, width)` uint8 gray.

    `kind` is a key of `DEGRADATIONS` and `level` in its unit; `DEGRADATIONS[kind].levels` are those that models are
    measured at. A `FerError` refuses another kind, level, shape or type.
    """
    if kind not in DEGRADATIONS:
        raise FerError(f"Unknown kind of degradation. Expected one of {', '.join(DEGRADATIONS)}. Received: {kind}")
    if faces.ndim != 3 or faces.dtype != np.uint8:
        raise FerError(f"Expected uint8 gray faces of shape (n, height, width). Received: {faces.dtype} {faces.shape}")
    return DEGRADATIONS[kind].apply(faces, level)


def add_noise(faces: Faces, deviation: float) -> Faces:
    """Return faces with Gaussian noise of this standard deviation in gray levels, at least 0."""
    _check(deviation, "a standard deviation of the noise of at least 0", 0, math.inf)

    def noisy(face: Faces) -> Faces:
        noise = _generator(face, "noise").standard_normal(face.shape, np.float32)
        return np.clip(np.rint(face + deviation * noise), 0, 255).astype(np.uint8)

    return _each(faces, noisy)


def blur_faces(faces: Faces, deviation: float) -> Faces:
    """Return faces with a Gaussian blur of this standard deviation in pixels, at least 0."""
    _check(deviation, "a standard deviation of the blur of at least 0", 0, math.inf)
    if deviation == 0:
        return faces.copy()
    return _each(faces, lambda face: cv2.GaussianBlur(face, (0, 0), deviation))


def reduce_resolution(faces: Faces, side: float) -> Faces:
    """Return faces reduced to `side` × `side` pixels, a whole number, and enlarged to their size again.

    Pixels are averaged on the way down, as a sensor with fewer pixels does, and interpolated linearly on the way up.
    """
    height, width = faces.shape[1:]
    _check(side, f"a whole side from 1 to {min(height, width)} pixels", 1, min(height, width), whole=True)

    def coarse(face: Faces) -> Faces:
        small = cv2.resize(face, (int(side), int(side)), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)

    return _each(faces, coarse)


def reduce_light(faces: Faces, percent: float) -> Faces:
    """Return faces with this part of the light taken away, 0 to 100 percent.

    Every gray level is multiplied by the part that is left, as by a shorter exposure. So brightness (the mean) and
    contrast (the standard deviation) are both reduced by this percentage, and rounding removes the finest shades.
    """
    _check(percent, "a percentage of the light from 0 to 100", 0, 100)
    return np.rint(faces * np.float32(1 - percent / 100)).astype(np.uint8)


def occlude(faces: Faces, percent: float) -> Faces:
    """Return faces with a gray rectangle over this percentage of the area, 0 to 100.

    It has the proportions of the face crop and lies completely within it, at a random place.
    """
    _check(percent, "a percentage of the area from 0 to 100", 0, 100)
    sides = np.rint(np.array(faces.shape[1:]) * math.sqrt(percent / 100)).astype(int)

    def covered(face: Faces) -> Faces:
        top, left = np.rint(_generator(face, "place").random(2) * (face.shape - sides)).astype(int)
        result = face.copy()
        result[top : top + sides[0], left : left + sides[1]] = 128
        return result

    return _each(faces, covered)


DEGRADATIONS: Final[dict[str, Degradation]] = {
    # from hardly visible to a camera in a dark room; 13 and 26 are a twentieth and a tenth of the range
    "noise": Degradation("Noise", "standard deviation in gray levels", (6.5, 13, 19.5, 26, 39), add_noise),
    # at 3 pixels, a sixteenth of the width, eyes and mouth are only spots
    "blur": Degradation("Blur", "standard deviation in pixels", (0.5, 1, 1.5, 2, 3), blur_faces),
    # faces of 32 pixels are common in pictures of groups; at 8, an eye is about one pixel
    "resolution": Degradation("Low resolution", "pixels per side", (32, 24, 16, 12, 8), reduce_resolution),
    # half the light is one stop of exposure; with 90 % taken away, at most 27 shades are left
    "light": Degradation("Low light", "% of the light missing", (30, 50, 65, 80, 90), reduce_light),
    # 5 % hides about an eye or half a mouth, 40 % more than a scarf or sunglasses do
    "occlusion": Degradation("Occlusion", "% of the area covered", (5, 10, 20, 30, 40), occlude),
}
"""The kinds of degradation by their keys in tables, each with five levels from weak to strong."""


def turn_faces(faces: Faces, degrees: float) -> Faces:
    """Return faces turned to the left about their centres, with their edges continued outwards; at most 90 degrees."""
    _check(degrees, "an angle from -90 to 90 degrees", -90, 90)
    height, width = faces.shape[1:]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)

    def turned(face: Faces) -> Faces:
        return np.asarray(cv2.warpAffine(face, turn, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)

    return _each(faces, turned)


def cover_half(faces: Faces) -> Faces:
    """Return faces whose right half is gray."""
    result = faces.copy()
    result[:, :, faces.shape[2] // 2 :] = 128
    return result


CHANGES: Final[dict[str, Callable[[Faces], Faces]]] = {
    "mirror image": lambda faces: np.ascontiguousarray(faces[:, :, ::-1]),
    "turned by 15°": lambda faces: turn_faces(faces, 15),
    "half the light": lambda faces: reduce_light(faces, 50),
    "blurred": lambda faces: blur_faces(faces, 1.5),
    "one half covered": cover_half,
}
"""Changes after which a face still shows the same expression, to see whether a model says the same."""


def _each(faces: Faces, change: Callable[[Faces], Faces]) -> Faces:
    return np.array([change(face) for face in faces], np.uint8).reshape(faces.shape)


def _generator(face: Faces, purpose: str) -> np.random.Generator:
    """Return a random generator that depends on the face's pixels and on the purpose only."""
    digest = hashlib.blake2b(face.tobytes(), digest_size=16, person=purpose.encode()).digest()
    return np.random.default_rng([2013, int.from_bytes(digest, "little")])


def _check(level: float, expected: str, low: float, high: float, whole: bool = False) -> None:
    if not (math.isfinite(level) and low <= level <= high and (not whole or level == int(level))):
        raise FerError(f"Expected {expected}. Received: {level}")
