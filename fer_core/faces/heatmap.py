"""Heatmaps of the evidence for an expression, on one scale for all expressions of a face.

A class activation map (Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016) says how much
each place of a face adds to the logit of each expression. Softmax depends on differences of logits only, so evidence is
always a difference of maps: one expression against the mean of all seven, or against one other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.images import require_rgb
from fer_core.faces.framing import CROP_SIZE, Transform, invert
from fer_core.labels import NUM_CLASSES, expression_index
from fer_core.types import Image

BLUR: Final = 0.4  # of a map cell's size, so that cells have no visible edges
MAX_OPACITY: Final = 0.7  # of the strongest evidence

GLOW: Final = cv2.cvtColor(
    cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB
)
"""`(256, 1, 3)` uint8 RGB: the colour map `inferno`. Its lightness increases evenly, so it also works in gray."""

AGAINST, FOR = (240, 100, 0), (20, 120, 240)
"""RGB orange and blue: visible on skin and dark hair, similarly light, different for colour-blind readers."""

TWO_SIDED: Final = np.array([AGAINST] * 128 + [FOR] * 128, np.uint8)[:, None]
"""`(256, 1, 3)` uint8 RGB: the first half for evidence against, the second for evidence for an expression."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence for one expression at each place of a face.

    Attributes:
        values: `(rows, columns)`, evenly spread over the crop, in the unit of the maps: logits, or probabilities.
        limit: the value drawn at full strength, 0 or more; 0 if there is nothing to draw.
        two_sided: draw negative values as well, in another colour.

    Raises:
        ValueError: the values are not two-dimensional, or the limit is negative or not finite.
    """

    values: NDArray[np.float32]
    limit: float
    two_sided: bool = False

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.size == 0:
            raise ValueError(f"Expected evidence of shape (rows, columns). Received: {self.values.shape}")
        if not 0 <= self.limit < float("inf"):
            raise ValueError(f"Expected a finite limit of 0 or more. Received: {self.limit}")

    @property
    def shares(self) -> NDArray[np.float32]:
        """The values as shares of the limit, -1 to 1; 0 to 1 if not two-sided."""
        if self.limit == 0:
            return np.zeros(self.values.shape, np.float32)
        return np.clip(self.values / self.limit, -1 if self.two_sided else 0, 1).astype(np.float32)


def evidence_for(
    maps: NDArray[np.floating], expression: str, against: str | None = None, at_least: float = 0.0
) -> Evidence:
    """Return the evidence for an expression, on the scale that all expressions of the face share.

    Against all others, the value of a place is the map of the expression minus the mean of all seven maps, and the
    limit is the largest such value of any expression. (The mean of the six others would give the same picture: all
    values are then 7/6 as large.) Against one other, the value is the difference of two maps, and the limit is the
    largest difference between any two. So only the strongest evidence of a face is drawn at full strength, and an
    expression that little speaks for stays dark.

    The mean of an activation map over all places is the logit. So the mean of the values is a difference of logits:
    against one other, the logarithm of the ratio of the two probabilities.

    Args:
        maps: `(rows, columns, 7)`, what each place adds to each expression. Values that are not finite count as 0.
        expression: its name.
        against: the name of another expression; None for all others.
        at_least: minimum of the limit, so that a face without notable evidence stays dark.

    Raises:
        ValueError: the maps have another shape, an expression is unknown, or both are the same.
    """
    if maps.ndim != 3 or maps.shape[2] != NUM_CLASSES or maps.size == 0:
        raise ValueError(f"Expected maps of shape (rows, columns, {NUM_CLASSES}). Received: {maps.shape}")
    maps = np.nan_to_num(np.asarray(maps, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    index = expression_index(expression)
    if against is None:
        compared = maps - maps.mean(axis=2, keepdims=True)
        return Evidence(compared[:, :, index], max(at_least, float(compared.max())))
    other = expression_index(against)
    if other == index:
        raise ValueError(f"Expected two different expressions. Received: {expression} twice")
    largest = float(np.ptp(maps, axis=2).max())
    return Evidence(maps[:, :, index] - maps[:, :, other], max(at_least, largest), two_sided=True)


def heatmap_on_crop(crop: Image, evidence: Evidence, size: int = 240) -> Image:
    """Return a face crop with the evidence over it: the stronger, the brighter and the more opaque.

    Args:
        crop: `(height, width)` uint8 gray.
        evidence: stretched over the whole crop. Two-sided evidence is blue where it speaks for the expression and
            orange where it speaks against it.
        size: longer side of the returned picture in pixels.

    Returns:
        `(height, width, 3)` uint8 RGB.
    """
    factor = size / max(crop.shape)
    target = (max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor)))
    picture = cv2.resize(crop, target, interpolation=cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA)
    return _blended(np.repeat(picture[:, :, None], 3, axis=2), _enlarged(evidence, target), evidence.two_sided)


def heatmap_on_face(image: Image, transform: Transform, evidence: Evidence) -> Image:
    """Return a copy of an image with the evidence over one face, drawn as by `heatmap_on_crop`.

    Args:
        image: `(height, width, 3)` uint8 RGB.
        transform: `(2, 3)` from the image to the face's 48 x 48 crop, as in `FaceResult`.
        evidence: stretched over the whole crop.

    Returns:
        `(height, width, 3)` uint8 RGB.

    Raises:
        FerError: `image` is not an RGB picture.
    """
    image = require_rgb(image).copy()
    back = invert(transform)
    edge = CROP_SIZE - 0.5
    corners = np.array([[-0.5, -0.5], [edge, -0.5], [-0.5, edge], [edge, edge]]) @ back[:, :2].T + back[:, 2]
    limit = (image.shape[1], image.shape[0])
    left, top = np.clip(np.floor(corners.min(0)), 0, limit).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(0)) + 1, 0, limit).astype(int)
    if right <= left or bottom <= top:
        return image
    back[:, 2] -= (left, top)
    shares = _enlarged(evidence, (CROP_SIZE, CROP_SIZE))
    shares = np.asarray(cv2.warpAffine(shares, back, (int(right - left), int(bottom - top)), flags=cv2.INTER_LINEAR))
    image[top:bottom, left:right] = _blended(image[top:bottom, left:right], shares, evidence.two_sided)
    return image


def _enlarged(evidence: Evidence, target: tuple[int, int]) -> NDArray[np.float32]:
    """Return the shares of the limit, smoothly enlarged to `target` (width, height), with the same strongest value."""
    shares = evidence.shares
    strongest = float(np.abs(shares).max())
    cell = max(target[0] / shares.shape[1], target[1] / shares.shape[0])
    large = cv2.resize(shares, target, interpolation=cv2.INTER_LINEAR)
    large = cv2.GaussianBlur(large, (0, 0), max(0.1, BLUR * cell), borderType=cv2.BORDER_REPLICATE)
    blurred = max(float(np.abs(large).max()), 1e-6)
    return np.clip(large * (strongest / blurred), -1, 1)  # blurring lowers the peak


def _blended(picture: Image, shares: NDArray[np.float32], two_sided: bool) -> Image:
    """Return an RGB picture with shares of -1 to 1, of the same height and width, as colours over it."""
    places = np.round((shares + 1) * 127.5 if two_sided else shares * 255).clip(0, 255).astype(np.uint8)
    colors = cv2.applyColorMap(places, TWO_SIDED if two_sided else GLOW)
    opacity = MAX_OPACITY * np.abs(shares)
    return np.asarray(cv2.blendLinear(np.ascontiguousarray(picture), colors, 1 - opacity, opacity))
