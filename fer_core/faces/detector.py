"""Which face detector to use: YuNet where its weights are, Haar cascades where they are not."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

from fer_core.faces.haar import HaarDetector
from fer_core.faces.yunet import YuNetDetector
from fer_core.faces.yunet_file import DetectorUnavailable, yunet_path
from fer_core.types import Face, Image

FALLBACK_NOTE: Final = "Faces are found with the slower, less accurate Haar cascades. {why}"


class FaceDetector(Protocol):
    """What finds faces. Implementations may be shared between threads."""

    @property
    def note(self) -> str | None:
        """What pages should tell people about this detector, or None if it is the one we want."""

    def detect(self, image: Image, thorough: bool = True) -> list[Face]:
        """Return the faces in a `(height, width, 3)` uint8 RGB image, the largest first.

        Args:
            image: of any size, at least one pixel.
            thorough: True for photos; False, several times faster, for frames of a video.
        """


def default_detector(download: bool = True, detection_size: int = 640) -> FaceDetector:
    """Return YuNet, or, with a `note` that says why, Haar cascades.

    Cheap to call for each picture: detectors are kept, and a failed download is not repeated for some minutes.

    Args:
        download: False: do not fetch YuNet's weights if they are not on this computer.
        detection_size: longest side in pixels of the copy that YuNet searches first; 320 is enough for the near faces
            of a camera and takes a quarter of the time.
    """
    try:
        return _yunet(yunet_path(download), detection_size)
    except DetectorUnavailable as error:
        return _haar(FALLBACK_NOTE.format(why=error))


@lru_cache(maxsize=4)
def _yunet(path: Path, detection_size: int) -> YuNetDetector:
    return YuNetDetector(path, detection_size)


@lru_cache(maxsize=2)
def _haar(note: str) -> HaarDetector:
    return HaarDetector(note=note)
