"""Choose the face detector: YuNet, whose weights are found or downloaded, or a simpler one where there are none."""

from __future__ import annotations

import hashlib
import http.client
import os
import threading
import time
import urllib.request
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

import cv2
import filelock

from fer_core.files import cache_folder, whole_file
from fer_core.types import Face, FerError, Image, reason

FALLBACK_NOTE: Final = "Faces are found with a simpler detector: tilted heads are not turned upright. {why}"

MAX_OVERLAP: Final = 0.3
"""Boxes with a larger intersection over union show the same face (OpenCV's default for YuNet)."""

FILE_NAME: Final = "face_detection_yunet_2023mar.onnx"
URL: Final = f"https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/face_detection_yunet/{FILE_NAME}"
"""OpenCV Zoo's file (MIT licence) in Git LFS; the `raw` URL redirects here."""

SHA256: Final = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
SIZE: Final = 232_589  # bytes
TIMEOUT_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 300.0
"""After a failed download it is not tried again for this time, so that pages do not wait for it on every run."""

LOCAL_COPY: Final = (
    f"Download {FILE_NAME} ({SIZE // 1000} kB) from OpenCV Zoo elsewhere and set FER_YUNET_MODEL to its path"
)


class DetectorUnavailable(FerError):
    """YuNet's weights are not available. The message gives the reason and what to do."""


class LastFailure:
    """The last failed download of this process."""

    lock = threading.Lock()
    message = ""
    until = 0.0  # time.monotonic()


class FaceDetector(Protocol):
    """Interface of the detectors. Implementations are thread-safe."""

    @property
    def note(self) -> str | None:
        """A sentence about the detector's limits for the user, or None."""

    def detect(self, image: Image, thorough: bool = True) -> list[Face]:
        """Return the faces in a `(height, width, 3)` uint8 RGB image, largest first.

        Args:
            image: of any size, at least one pixel.
            thorough: True for photos. False is several times faster, for video frames.
        """


def default_detector(detection_size: int = 640) -> FaceDetector:
    """Return YuNet if its weights are available, else `FallbackDetector` with a `note` that gives the reason.

    Detectors are cached, and a failed download is not repeated for some minutes, so this is cheap to call for each
    picture.

    Args:
        detection_size: longest side in pixels to which YuNet scales a picture for its first search. 320 is enough
            for faces near a camera and takes a quarter of the time.
    """
    try:
        return _yunet(yunet_path(), detection_size)
    except DetectorUnavailable as error:
        return _fallback(FALLBACK_NOTE.format(why=error))


def suppress_overlaps(faces: Sequence[Face]) -> list[Face]:
    """Return the faces that remain after non-maximum suppression, largest first."""
    if not faces:
        return []
    boxes = [tuple(map(float, face.box)) for face in faces]
    kept = cv2.dnn.NMSBoxes(boxes, [float(face.score) for face in faces], 0.0, MAX_OVERLAP)
    return sorted((faces[int(index)] for index in kept), key=lambda face: face.area, reverse=True)


def yunet_path() -> Path:
    """Return the path of YuNet's ONNX file after verifying its SHA-256.

    The file is the one that the environment variable `FER_YUNET_MODEL` names, or the copy in
    `cache_folder("models")`, which is downloaded once from OpenCV Zoo on GitHub.

    Raises:
        DetectorUnavailable: there is no valid file and it could not be downloaded. A failed download is tried again
            only after `RETRY_SECONDS`.
    """
    configured = os.environ.get("FER_YUNET_MODEL")
    if configured:
        return _configured_file(Path(configured).expanduser())
    try:
        path = cache_folder("models") / FILE_NAME
    except FerError as error:
        raise DetectorUnavailable(str(error)) from error
    if _is_intact(path):
        return path
    with LastFailure.lock:
        if time.monotonic() < LastFailure.until:
            raise DetectorUnavailable(LastFailure.message)
        try:
            _download(path)
        except DetectorUnavailable as error:
            LastFailure.message, LastFailure.until = str(error), time.monotonic() + RETRY_SECONDS
            raise
    return path


@lru_cache(maxsize=4)
def _yunet(path: Path, detection_size: int) -> FaceDetector:
    from fer_core.faces.yunet import YuNetDetector

    return YuNetDetector(path, detection_size)


@lru_cache(maxsize=2)
def _fallback(note: str) -> FaceDetector:
    from fer_core.faces.fallback import FallbackDetector

    return FallbackDetector(note)


def _configured_file(path: Path) -> Path:
    if not path.is_file():
        raise DetectorUnavailable(f"FER_YUNET_MODEL should name {FILE_NAME}, but there is no such file: {path}")
    if not _is_intact(path):
        raise DetectorUnavailable(
            f"FER_YUNET_MODEL names a file that is not OpenCV Zoo's {FILE_NAME} of {SIZE:,} bytes "
            f"(its SHA-256 differs): download it again. Received: {path}"
        )
    return path


def _is_intact(path: Path) -> bool:
    try:
        return path.stat().st_size == SIZE and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256
    except OSError:
        return False


def _download(path: Path) -> None:
    """Download the file to `path`, one process at a time."""
    try:
        with filelock.FileLock(f"{path}.lock", timeout=2 * TIMEOUT_SECONDS):
            if not _is_intact(path):
                content = _fetch()
                with whole_file(path) as partial:
                    partial.write_bytes(content)
    except filelock.Timeout as error:
        raise DetectorUnavailable(
            f"Another process is still downloading the face detector YuNet: wait a few minutes. Lock: {path}.lock"
        ) from error
    except OSError as error:
        raise DetectorUnavailable(f"The face detector YuNet cannot be stored at {path} ({reason(error)}).") from error


def _fetch() -> bytes:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    content = b""
    try:
        with urllib.request.urlopen(URL, timeout=TIMEOUT_SECONDS) as response:
            while len(content) <= SIZE and (part := response.read1(65_536)):
                content += part
                if time.monotonic() > deadline:
                    raise TimeoutError("too slow")
    except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
        raise DetectorUnavailable(
            f"The face detector YuNet could not be downloaded from GitHub ({reason(error)}). {LOCAL_COPY}."
        ) from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise DetectorUnavailable(
            f"GitHub's answer was not the face detector YuNet (its SHA-256 differs; is there a proxy?). {LOCAL_COPY}."
        )
    return content
