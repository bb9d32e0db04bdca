"""Angles of made-up heads that are turned in space, and of faces whose landmarks say nothing."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fer_core.faces import head_pose
from fer_core.types import Face

# x to the right, y down, z to the camera: a face 100 high from eyes to mouth, with the nose 40 above the mouth
HEAD = np.array([[-30, -50, 0], [30, -50, 0], [0, 10, 60], [-25, 50, 0], [25, 50, 0]], float)


def seen(points, width=120.0):
    return Face((-60.0, -60.0, width, 130.0), 0.9, points[:, :2].astype(np.float32))


@pytest.mark.parametrize(
    ("roll", "yaw", "pitch"), [(0, 0, 0), (0, 25, 0), (0, 0, 20), (25, -30, -20), (-15, 40, 10), (40, 5, -35)]
)
def test_the_angles_of_a_turned_head_come_out_again(roll, yaw, pitch):
    turned = Rotation.from_euler("ZYX", [roll, yaw, pitch], degrees=True).apply(HEAD)
    assert head_pose(seen(turned)) == pytest.approx((roll, yaw, pitch), abs=0.01)


def test_without_landmarks_or_with_the_eyes_in_one_place_nothing_is_known():
    together = HEAD * [0.05, 1, 1]
    for face in (Face((0.0, 0.0, 9.0, 9.0), 0.9), seen(together), seen(HEAD * np.nan)):
        assert np.isnan(head_pose(face)).all()
