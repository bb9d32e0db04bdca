"""Follow faces from frame to frame: stable numbers, and cuts told from motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.types import Face, Image

SCENE_SIZE: Final = (16, 9)
LOOK_SIZE: Final = (16, 16)
"""Width and height of the small pictures. They are compared at shifts by one pixel, so that a shaking camera or a box
that jitters changes little."""

SAME: Final = 0.45
"""Correlation from which two pictures show the same thing. In clips of 25 and 30 frames per second (a talking man,
street traffic, the sample clip), consecutive scenes have at least 0.75, and at most 0.42 at a cut. Of 272 pairs of
unrelated photos, 8 % have more than 0.45."""

SAME_FACE: Final = 0.7
TURNING: Final = 0.5
"""For faces the limit is higher, and falls by this much in each second between them, since heads turn. In these clips
faces have at least 0.76 from frame to frame, 0.58 after a fifth of a second and 0.42 after half a second. Of 6,000
pairs of different faces of UTKFace, 6 % pass after 0.04 seconds, 13 % after 0.2 and 34 % after 0.5. A
face that comes back at another place needs the first limit, which 7 % of the pairs of 60 people of LFW pass."""

FLAT: Final = 2.0  # gray levels; a picture with a smaller standard deviation, such as a black frame, shows nothing
LOST_SECONDS: Final = 0.5  # a face that has not been detected for longer is no longer shown
MEMORY_SECONDS: Final = 5.0  # a face detected again within this time keeps its number
BOX_GROWTH: Final = 1.5  # boxes are enlarged before comparing them, since a fast face hardly overlaps its last box
MIN_OVERLAP: Final = 0.1  # intersection over union of enlarged boxes of the same face; two neighbours have less
MAX_COAST: Final = 0.2  # seconds for which an undetected face keeps moving; after that it stays where it is
OCCLUSION: Final = 0.3  # overlap of enlarged boxes from which a detected face replaces an undetected one
VELOCITY_WEIGHT: Final = 0.5  # of the new velocity; the rest is the old one, since boxes jitter by a pixel or two


@dataclass(eq=False)
class Track:
    """One face over time: its last detection, also as a small picture (see `look`), with its stream time in seconds,
    and its velocity, `(2,)` pixels per second."""

    number: int
    face: Face
    look: NDArray[np.uint8]
    seen: float
    velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    def at(self, seconds: float) -> Face:
        """Return the face at its expected position at a stream time, assuming constant velocity."""
        return _mapped(self.face, shift=self.velocity * min(seconds - self.seen, MAX_COAST))

    def update(self, face: Face, look: NDArray[np.uint8], seconds: float) -> None:
        """Add a new detection of this face."""
        gap = seconds - self.seen
        if gap > LOST_SECONDS:
            self.velocity = np.zeros(2)
        elif gap > 0:
            new = np.subtract(face.center, self.face.center) / gap
            self.velocity = VELOCITY_WEIGHT * new + (1 - VELOCITY_WEIGHT) * self.velocity
        self.face, self.look, self.seen = face, look, seconds


class FaceTracker:
    """Give detected faces stable numbers, by the overlap of their boxes, until a cut or a gap.

    A face keeps its number while it looks like its last detection, also at another place if it was out of sight. After
    a cut of the whole scene all faces get new numbers, and so does a face that is not detected for `MEMORY_SECONDS`.
    """

    def __init__(self) -> None:
        self._tracks: list[Track] = []
        self._numbers = 0
        self._size: tuple[int, int] | None = None
        self._scene: NDArray[np.uint8] | None = None

    def see(self, size: tuple[int, int], scene: NDArray[np.uint8], *, cuts: bool = True) -> bool:
        """Prepare for a frame: scale the faces to its width and height, and end all tracks if it comes after a cut.

        Args:
            size: the frame's width and height in pixels.
            scene: the frame as a small picture, see `scene`.
            cuts: whether there may be one.

        Returns:
            Whether the known faces say too little about this frame, so that faces must be detected in it.
        """
        cut = cuts and self._scene is not None and not same_scene(self._scene, scene)
        resized = size != self._size
        if cut:
            self._tracks = []
        if resized and self._size:
            factors = np.divide(size, self._size)
            for track in self._tracks:
                track.face, track.velocity = _mapped(track.face, factors), track.velocity * factors
        self._size = size
        if not is_flat(scene):  # a black frame is compared with nothing, but the frames around it are
            self._scene = scene
        return resized or cut

    def update(self, faces: Sequence[Face], looks: Sequence[NDArray[np.uint8]], seconds: float) -> list[Track]:
        """Add the faces detected at a stream time, which must not decrease, and return the track of each.

        `looks` are the same faces as small pictures, see `look`.
        """
        self._tracks = [track for track in self._tracks if seconds - track.seen <= MEMORY_SECONDS]
        tracks: dict[int, Track] = {}
        for track, k in self._pairs(faces, seconds):
            if same_face(track.look, looks[k], seconds - track.seen):
                track.update(faces[k], looks[k], seconds)
                tracks[k] = track
            else:  # somebody else at the same place
                self._tracks.remove(track)
        for k in sorted(set(range(len(faces))) - set(tracks)):
            if (back := self._returned(looks[k], seconds)) is not None:
                back.update(faces[k], looks[k], seconds)
                tracks[k] = back
                continue
            self._numbers += 1
            tracks[k] = Track(self._numbers, faces[k], looks[k], seconds)
            self._tracks.append(tracks[k])
        return [tracks[k] for k in range(len(faces))]

    def current(self, seconds: float) -> list[Track]:
        """Return the faces to show, by number: those detected within `LOST_SECONDS` and not occluded by newer ones."""
        tracks = self._recent(seconds)
        latest = max((track.seen for track in tracks), default=0.0)
        seen = _corners([track.face for track in tracks if track.seen == latest])
        return [
            track
            for track in tracks
            if track.seen == latest or _overlaps(_corners([track.at(seconds)]), seen).max() < OCCLUSION
        ]

    def _returned(self, look: NDArray[np.uint8], seconds: float) -> Track | None:
        """Return the face out of sight that a new one looks like most; None if it looks like nobody."""
        known = [track for track in self._tracks if seconds - track.seen > LOST_SECONDS and not is_flat(track.look)]
        if not known or is_flat(look):
            return None
        best = max(known, key=lambda track: _correlation(track.look, look))
        return best if _correlation(best.look, look) >= SAME_FACE else None

    def _recent(self, seconds: float) -> list[Track]:
        return [track for track in self._tracks if seconds - track.seen <= LOST_SECONDS]

    def _pairs(self, faces: Sequence[Face], seconds: float) -> list[tuple[Track, int]]:
        """Assign detections to tracks with the greatest total overlap, first to those that are shown."""
        pairs: list[tuple[Track, int]] = []
        recent = self._recent(seconds)
        for tracks in (recent, [track for track in self._tracks if track not in recent]):
            taken = {k for _, k in pairs}
            free = [k for k in range(len(faces)) if k not in taken]
            matches = _matches(tracks, [faces[k] for k in free], seconds)
            pairs += [(tracks[i], free[j]) for i, j in matches]
        return pairs


def _mapped(face: Face, factors: NDArray[np.float64] | float = 1.0, shift: NDArray[np.float64] | float = 0.0) -> Face:
    """Return a face whose x and y are multiplied by factors and shifted."""
    corner, size = np.array(face.box).reshape(2, 2)
    box = (*(corner * factors + shift).tolist(), *(size * factors).tolist())
    points = None if face.landmarks is None else (face.landmarks * factors + shift).astype(np.float32)
    return Face(box, face.score, points)


def _matches(tracks: list[Track], faces: list[Face], seconds: float) -> list[tuple[int, int]]:
    """Return the indices of tracks and faces that belong together. A track may have kept moving, or stopped."""
    if not tracks or not faces:
        return []
    from scipy.optimize import linear_sum_assignment  # a quarter of the start of `fer-lab predict`

    boxes = [track.at(seconds) for track in tracks], [track.face for track in tracks]
    overlaps = np.maximum(*(_overlaps(_corners(either), _corners(faces)) for either in boxes))
    pairs = zip(*linear_sum_assignment(overlaps, maximize=True), strict=True)
    return [(int(i), int(j)) for i, j in pairs if overlaps[i, j] >= MIN_OVERLAP]


def _corners(faces: list[Face]) -> NDArray[np.float64]:
    """Return `(n, 4)` left, top, right, bottom of the boxes, enlarged about their centres."""
    boxes = np.array([face.box for face in faces], np.float64).reshape(-1, 4)
    centers, halves = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:] * (BOX_GROWTH / 2)
    return np.hstack([centers - halves, centers + halves])


def _overlaps(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the `(n, m)` intersections over unions."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(corners[:, 2:] - corners[:, :2]).prod(axis=1) for corners in (boxes, others)]
    return shared / (areas[0][:, None] + areas[1][None, :] - shared)


def scene(image: Image) -> NDArray[np.uint8]:
    """Return a `(height, width, 3)` RGB frame as `(9, 16)` gray levels."""
    height, width = image.shape[:2]
    step = max(1, min(height // (10 * SCENE_SIZE[1]), width // (10 * SCENE_SIZE[0])))  # for the speed of large frames
    small = cv2.resize(np.ascontiguousarray(image[::step, ::step]), SCENE_SIZE, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def look(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a `(48, 48)` face crop as `(16, 16)` gray levels."""
    return np.asarray(cv2.resize(crop, LOOK_SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def is_flat(picture: NDArray[np.uint8]) -> bool:
    """Return whether a small picture shows nothing to compare inside its edge."""
    return float(picture[1:-1, 1:-1].std()) < FLAT


def same_scene(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Return whether two pictures from `scene` show the same scene, whatever the light; or one is flat."""
    return _correlation(before, after) >= SAME


def same_face(before: NDArray[np.uint8], after: NDArray[np.uint8], seconds: float) -> bool:
    """Return whether two pictures from `look`, taken some seconds apart, show the same face; or one is flat."""
    return _correlation(before, after) >= max(SAME_FACE - TURNING * seconds, SAME)


def _correlation(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """Return the greatest correlation at shifts by up to one pixel; 1 if there is nothing to compare."""
    if is_flat(before) or is_flat(after):
        return 1.0
    return float(cv2.matchTemplate(after, before[1:-1, 1:-1], cv2.TM_CCOEFF_NORMED).max())
