"""What a worker needs to analyse files: settings, and the content of the model's and the detector's file."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fer_core.faces import (
    DetectorUnavailable,
    FaceDetector,
    FallbackDetector,
    YuNetDetector,
    default_detector,
    yunet_path,
)
from fer_core.faces.fallback import FALLBACK_NAME
from fer_core.inference import Classifier
from fer_core.store.stored_model import StoredModel

Kind = Literal["photos", "videos"]


@dataclass(frozen=True)
class Job:
    """How to analyse an archive. It is sent to each worker, so that all of them use the same files.

    Attributes:
        kind: `photos` or `videos`.
        model: name of the model.
        weights: content of its LiteRT file.
        preprocessing: its preprocessing.
        yunet: content of YuNet's file; None for the fallback.
        note: a sentence about the detector's limits, or None.
        flip: average each face with its mirror image.
        whole_image: photos: take each as one face crop.
        rate: videos: frames per second to analyse; None for all.
        smoothing: videos: time constant of the smoothing in seconds; 0 for none.
    """

    kind: Kind
    model: str
    weights: bytes
    preprocessing: str
    yunet: bytes | None
    note: str | None = None
    flip: bool = False
    whole_image: bool = False
    rate: float | None = None
    smoothing: float = 0.0

    @classmethod
    def of(cls, kind: Kind, model: StoredModel, **settings: Any) -> Job:
        """Return a job for a stored model with YuNet, or with the fallback where YuNet's file is not available.

        Args:
            kind: `photos` or `videos`.
            model: a model that can predict.
            settings: `flip`, `whole_image`, `rate` or `smoothing`.

        Raises:
            FerError: as `StoredModel.content`.
        """
        yunet, note = None, None
        try:
            yunet = yunet_path().read_bytes()
        except DetectorUnavailable:
            note = default_detector().note
        return cls(kind, model.name, model.content(), model.card.preprocessing, yunet, note, **settings)

    def settings(self) -> dict[str, Any]:
        """Return what the results depend on, as JSON types with names for people."""
        values = {
            "model": self.model,
            "model file": hashlib.sha256(self.weights).hexdigest(),
            "detector": "YuNet" if self.yunet else FALLBACK_NAME,
            "flip": self.flip,
        }
        own: dict[str, Any] = {"whole_image": self.whole_image} if self.kind == "photos" else {}
        return values | (own or {"rate": self.rate, "smoothing": self.smoothing, "faces end": "at cuts"})

    def classifier(self) -> Classifier:
        """Return the classifier, with one thread: parallel workers already use all cores."""
        return Classifier(self.weights, threads=1, preprocessing=self.preprocessing)

    def detector(self) -> FaceDetector:
        """Return the face detector."""
        if self.yunet is None:
            return FallbackDetector(self.note)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "yunet.onnx"
            path.write_bytes(self.yunet)
            return YuNetDetector(path)
