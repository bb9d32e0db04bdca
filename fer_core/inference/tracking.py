"""Following faces from one detection to the next, so that each keeps its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from fer_core.types import Face

LOST_SECONDS: Final = 0.5
"""A face that the detector has not seen for longer is shown no more."""

MEMORY_SECONDS: Final = 2.0
"""A face that comes back at its old place within this time gets its old number; later it is a new one."""

ROOM: Final = 1.5  # boxes are compared that much wider and higher: a quick face hardly overlaps its last place
MIN_OVERLAP: Final = 0.1  # intersection over union of such boxes; two neighbours' faces have less
MAX_COAST: Final = 0.2  # seconds that an unseen face goes on as it moved; then it waits where it got to
HIDES: Final = 0.3  # overlap of such boxes from which a face that is seen takes the place of one that is not
TRUST_IN_NEW_SPEED: Final = 0.5  # the rest stays with the old one: boxes tremble by a pixel or two


@dataclass(eq=False)
class Track:
    """One face over time.

    Attributes:
        number: from 1, never given to another face.
        face: where it was last detected.
        seen: stream time of that, in seconds.
        velocity: `(2,)` pixels a second.
    """

    number: int
    face: Face
    seen: float
    velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    def at(self, seconds: float) -> Face:
        """Return the face where it should be now if it goes on as before."""
        shift = self.velocity * min(seconds - self.seen, MAX_COAST)
        if not shift.any():
            return self.face
        x, y, width, height = self.face.box
        points = self.face.landmarks
        moved = None if points is None else (points + shift).astype(np.float32)
        return Face((x + float(shift[0]), y + float(shift[1]), width, height), self.face.score, moved)

    def meet(self, face: Face, seconds: float) -> None:
        """Take a new detection of this face."""
        gap = seconds - self.seen
        if gap > LOST_SECONDS:
            self.velocity = np.zeros(2)
        elif gap > 0:
            new = (_centre(face) - _centre(self.face)) / gap
            self.velocity = TRUST_IN_NEW_SPEED * new + (1 - TRUST_IN_NEW_SPEED) * self.velocity
        self.face, self.seen = face, seconds


class FaceTracker:
    """Gives detected faces numbers that stay, by the overlap of boxes."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []
        self._numbers = 0

    def update(self, faces: Sequence[Face], seconds: float) -> None:
        """Take what a detector found at a stream time, which never runs backwards."""
        self._tracks = [track for track in self._tracks if seconds - track.seen <= MEMORY_SECONDS]
        unmatched = dict(enumerate(faces))
        for track, k in self._pairs(faces, seconds):
            track.meet(unmatched.pop(k), seconds)
        for face in unmatched.values():
            self._numbers += 1
            self._tracks.append(Track(self._numbers, face, seconds))

    def current(self, seconds: float) -> list[Track]:
        """Return the faces detected within `LOST_SECONDS`, by number, but no unseen one where a seen one is now."""
        tracks = self._recent(seconds)
        latest = max((track.seen for track in tracks), default=0.0)
        seen = [track for track in tracks if track.seen == latest]
        unseen = [track for track in tracks if track.seen < latest]
        if not unseen:
            return tracks
        overlaps = _overlaps(_corners([track.at(seconds) for track in unseen]), _corners([one.face for one in seen]))
        hidden = {track.number for track, worst in zip(unseen, overlaps.max(axis=1), strict=True) if worst >= HIDES}
        return [track for track in tracks if track.number not in hidden]

    def rescale(self, across: float, down: float) -> None:
        """Follow a stream whose pictures have become that many times wider and higher."""
        factors = np.array([across, down])
        for track in self._tracks:
            x, y, width, height = track.face.box
            points = track.face.landmarks
            scaled = None if points is None else (points * factors).astype(np.float32)
            box = (x * across, y * down, width * across, height * down)
            track.face, track.velocity = Face(box, track.face.score, scaled), track.velocity * factors

    def _recent(self, seconds: float) -> list[Track]:
        return [track for track in self._tracks if seconds - track.seen <= LOST_SECONDS]

    def _pairs(self, faces: Sequence[Face], seconds: float) -> list[tuple[Track, int]]:
        """Return which track is which detection, so that the overlaps' sum is the greatest.

        Faces that are on screen choose first, those only remembered then.
        """
        pairs: list[tuple[Track, int]] = []
        shown = self._recent(seconds)
        remembered = [track for track in self._tracks if seconds - track.seen > LOST_SECONDS]
        free = list(range(len(faces)))
        for tracks in (shown, remembered):
            found = _matches(tracks, [faces[k] for k in free], seconds)
            pairs += [(tracks[i], free[j]) for i, j in found]
            taken = {free[j] for _, j in found}
            free = [k for k in free if k not in taken]
        return pairs


def _matches(tracks: list[Track], found: list[Face], seconds: float) -> list[tuple[int, int]]:
    """Return positions of tracks and of faces that belong together; a track may go on as it moved, or stop."""
    if not tracks or not found:
        return []
    there = _corners(found)
    places = [track.at(seconds) for track in tracks], [track.face for track in tracks]
    overlaps = np.maximum(*(_overlaps(_corners(place), there) for place in places))
    rows, columns = linear_sum_assignment(overlaps, maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if overlaps[i, j] >= MIN_OVERLAP]


def _corners(faces: list[Face]) -> NDArray[np.float64]:
    """Return `(n, 4)` left, top, right, bottom of the boxes, grown about their centres."""
    boxes = np.array([face.box for face in faces], np.float64)
    centres, halves = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:] * (ROOM / 2)
    return np.hstack([centres - halves, centres + halves])


def _overlaps(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `(n, m)` intersections over unions."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(corners[:, 2:] - corners[:, :2]).prod(axis=1) for corners in (one, other)]
    return shared / (areas[0][:, None] + areas[1][None, :] - shared)


def _centre(face: Face) -> NDArray[np.float64]:
    x, y, width, height = face.box
    return np.array([x + width / 2, y + height / 2])
