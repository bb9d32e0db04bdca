"""How far a head is turned, from the five landmarks of its face."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from fer_core.faces.framing import measured_roll
from fer_core.types import Face

NOSE_BASE: Final = 0.4  # its height above the mouth, and
NOSE_LENGTH: Final = 0.6  # how far its tip stands out, as parts of the distance between eyes and mouth


def head_pose(face: Face) -> tuple[float, float, float]:
    """Return roll, yaw and pitch of a head in degrees: clockwise in the picture, to its right, and up, if positive.

    Yaw and pitch are approximate: they follow from the direction of the nose in a face of average proportions that is
    seen from far away, by Gee and Cipolla, "Determining the gaze of faces in images" (Image and Vision Computing 12,
    1994). All three are NaN without landmarks, and where `measured_roll` is unknown, as for profiles.

    Example:
        >>> roll, yaw, pitch = head_pose(face)
    """
    roll = measured_roll(face)
    if face.landmarks is None or math.isnan(roll):
        return math.nan, math.nan, math.nan
    cos, sin = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    points = face.landmarks.astype(np.float64) @ [[cos, -sin], [sin, cos]]  # of the upright head
    mouth = points[3:].mean(axis=0)
    axis = points[:2].mean(axis=0) - mouth
    nose = points[2] - mouth - NOSE_BASE * axis
    # In space, nose and axis are at right angles and have lengths in a known ratio; so the nose's depth is the positive
    # root of depth^4 + excess * depth^2 - (ratio * nose . axis)^2 = 0.
    excess, product = nose @ nose - NOSE_LENGTH**2 * axis @ axis, NOSE_LENGTH * nose @ axis
    depth = math.sqrt((math.hypot(excess, 2 * product) - excess) / 2)
    yaw, pitch = math.atan2(nose[0], depth), math.atan2(-nose[1], math.hypot(nose[0], depth))
    return roll, math.degrees(yaw), math.degrees(pitch)
