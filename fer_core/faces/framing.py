"""Crop faces with the framing of FER2013, which is the only framing that the models were trained on.

Measured with YuNet on FER2013's training split: the face box is 0.77 of the frame wide and 1.03 high (medians), and
the eyes are at (0.31, 0.39) and (0.68, 0.40). Accuracy of one model on 1,197 PrivateTest faces pasted into a larger
scene and detected again: original frames 64.0 %, this crop 65.1 %, without rotation 64.5 %, scaled by the distance of
the eyes 62.8 %. The crop was thus compared on faces of a test split; accuracies on FER2013 do not use it.

Coordinates: a box is measured from the picture's edge (x = 0 is the left edge of the first pixel). A transform uses
pixel centres, as in OpenCV (x = 0 is the centre of the first pixel).
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.images import require_rgb
from fer_core.types import Face, Image

BOX_WIDTH: Final = 0.77  # of the frame's side
BOX_HEIGHT: Final = 1.03  # of the frame's side
CROP_SIZE: Final = 48  # pixels

STEEP_ROLL: Final = 60.0  # degrees; a steeper eye line is used only if the position of the mouth agrees with it
MAX_AXIS_ERROR: Final = 35.0  # degrees between the eye line's normal and the line from eyes to mouth
MIN_EYE_DISTANCE: Final = 0.15  # of the box's width; eyes closer together (a profile) give no direction
NEARLY_SQUARE: Final = 1.2  # longer side over shorter side
MAX_SAMPLES: Final = 32  # per crop pixel and axis, when a large face is reduced

Transform = NDArray[np.float64]  # `(2, 3)` affine matrix: `matrix @ (x, y, 1)`


def measured_roll(face: Face) -> float:
    """Return the angle in degrees by which a face is rotated, clockwise in the picture; NaN if it cannot be determined.

    Up to 60° this is the angle of the line between the eyes. A steeper line (a person lying down) is used only if the
    mouth is on the matching side of it. Otherwise the landmarks are wrong, as is common for profiles.
    """
    if face.landmarks is None:
        return math.nan
    points = face.landmarks.astype(np.float64)
    eye_line = points[1] - points[0]
    if not np.isfinite(points).all() or math.hypot(*eye_line) < MIN_EYE_DISTANCE * face.box[2]:
        return math.nan
    roll = math.degrees(math.atan2(eye_line[1], eye_line[0]))
    if abs(roll) <= STEEP_ROLL:
        return roll
    to_mouth = points[3:].mean(axis=0) - points[:2].mean(axis=0)
    mouth_roll = math.degrees(math.atan2(-to_mouth[0], to_mouth[1]))
    difference = (roll - mouth_roll + 180.0) % 360.0 - 180.0
    return roll if abs(difference) <= MAX_AXIS_ERROR else math.nan


def framing_roll(face: Face) -> float:
    """Return the angle in degrees by which a face's frame is rotated: `measured_roll`, or 0 if it is unknown."""
    return float(np.nan_to_num(measured_roll(face)))


def lies_on_its_side(roll: float) -> bool:
    """Tell whether a face rotated by `roll` degrees is wider than high in the image."""
    return 45.0 < abs(roll) < 135.0


def frame_side(face: Face) -> float:
    """Return the side in pixels of the square that frames a face: the mean of width / 0.77 and height / 1.03.

    Boxes are not rotated, so width and height are swapped for a face that lies on its side.
    """
    _, _, width, height = face.box
    if lies_on_its_side(framing_roll(face)):
        width, height = height, width
    return (width / BOX_WIDTH + height / BOX_HEIGHT) / 2


def framing_transform(face: Face, size: int = CROP_SIZE) -> Transform:
    """Return the affine transform from an image to the `size` x `size` crop of a face: `(2, 3)` float64, in pixels.

    The face's box determines centre and side of the square, its eyes the rotation.
    """
    scale = size / frame_side(face)
    angle = math.radians(framing_roll(face))
    rotation = scale * np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    center = np.array(face.center) - 0.5
    return np.column_stack([rotation, np.full(2, size / 2 - 0.5) - rotation @ center])


def invert(transform: Transform) -> Transform:
    """Return the inverse `(2, 3)` affine matrix, for example from the crop to the image."""
    inverse = np.linalg.inv(transform[:, :2])
    return np.column_stack([inverse, -inverse @ transform[:, 2]])


def crop_face(image: Image, face: Face) -> tuple[Image, Transform]:
    """Crop a face from an RGB image, upright and framed like FER2013's faces: `(48, 48)` uint8 gray, and its transform.

    Gray is ITU-R 601 luma. Each crop pixel is the mean of the image area under it, which avoids aliasing. Beyond the
    image's border its edge pixels are repeated. The transform is that of `framing_transform`.
    """
    transform = framing_transform(face)
    return cv2.cvtColor(cut_square(require_rgb(image), transform, CROP_SIZE), cv2.COLOR_RGB2GRAY), transform


def cut_square(image: Image, transform: Transform, size: int) -> Image:
    """Return the `(size, size, 3)` part of an RGB image under a similarity `transform`, without aliasing."""
    left, top, part = part_under(image, transform, size)
    scale = math.sqrt(abs(np.linalg.det(transform[:, :2])))
    samples = min(MAX_SAMPLES, max(1, math.ceil(1 / scale - 0.01)))
    fine = transform.copy()
    fine[:, 2] += fine[:, :2] @ (left, top)
    fine = fine * samples
    fine[:, 2] += (samples - 1) / 2  # pixel centres, not edges, have whole coordinates
    fine_size = (size * samples, size * samples)
    warped = cv2.warpAffine(part, fine, fine_size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(warped, (size, size), interpolation=cv2.INTER_AREA) if samples > 1 else warped)


def whole_image_face(image: Image) -> Face:
    """Return a face whose crop is the whole picture, for pictures that are already face crops.

    The crop is a square around the picture's centre, so the face is not distorted. Its side is the mean of the
    picture's sides if they differ by a factor of at most 1.2, otherwise the shorter side.
    """
    height, width = require_rgb(image).shape[:2]
    shorter, longer = sorted((height, width))
    side = (shorter + longer) / 2 if longer <= NEARLY_SQUARE * shorter else float(shorter)
    box_width, box_height = BOX_WIDTH * side, BOX_HEIGHT * side
    return Face(((width - box_width) / 2, (height - box_height) / 2, box_width, box_height), 1.0)


def part_under(image: Image, transform: Transform, size: int) -> tuple[int, int, Image]:
    """Return left, top and pixels (a view) of the part of the image under a crop, with a margin of two pixels.

    OpenCV cannot warp images with a side of 32,768 pixels or more, so it is given only this part.
    """
    corners = np.array([[-0.5, -0.5], [size - 0.5, -0.5], [-0.5, size - 0.5], [size - 0.5, size - 0.5]])
    back = invert(transform)
    touched = corners @ back[:, :2].T + back[:, 2]
    limit = np.array(image.shape[1::-1])
    low = np.clip(np.floor(touched.min(0)).astype(int) - 2, 0, limit - 1)
    high = np.clip(np.ceil(touched.max(0)).astype(int) + 3, low + 1, limit)
    return int(low[0]), int(low[1]), image[low[1] : high[1], low[0] : high[0]]
