"""How strongly training faces vary: settings, and copies to look at. `augmentation_layers` builds the layers.

Importing this imports neither Keras nor TensorFlow, which take ten seconds to start and a gigabyte of memory.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from fer_core.columns import percent
from fer_core.files import home
from fer_core.jobs import file_of_child
from fer_core.models import ModelSpec
from fer_core.types import FerError

FACES, SETTINGS, COPIES = "faces.npy", "settings.json", "copies.npz"  # for the process that draws copies


@dataclass(frozen=True)
class Augmentation:
    """How strongly training faces vary.

    Attributes:
        crop: side of the random crop in pixels; the network trains on it.
        rotation: maximum angle in degrees, in both directions.
        scale: minimum and maximum magnification.
        shift: maximum displacement in pixels, in both directions.
        flip: mirror half of the faces.
        brightness: maximum change as a share of 255.
        contrast: maximum change of the factor from 1.
        erase: share of the faces in which a patch of 2 to 20 % is replaced by noise (Zhong et al. 2020).
        gamma: maximum factor of the exponent of the gray levels, in both directions; 1 changes nothing.
        cover: share of the faces in which a patch of 5 to 25 % becomes flat gray, like a hand or a mask.
        degraded: share of the faces that get noise, and, drawn independently, share that get one of blur, low
            resolution and compression. The next four values limit their strength.
        noise: maximum standard deviation of Gaussian noise, in gray levels of 255.
        blur: maximum standard deviation of Gaussian blur, in pixels of the 48.
        resolution: minimum side, as a share, to which a face is scaled down before it is scaled up again; 1 is off.
        compression: maximum factor of JPEG's standard quantization table; 1 is quality 50.

    Raises:
        FerError: on creation, if a value is out of range.
    """

    crop: int = 44
    rotation: float = 15.0
    scale: tuple[float, float] = (0.85, 1.15)
    shift: float = 4.0
    flip: bool = True
    brightness: float = 0.15
    contrast: float = 0.3
    erase: float = 0.5
    gamma: float = 1.0
    cover: float = 0.0
    degraded: float = 0.0
    noise: float = 0.0
    blur: float = 0.0
    resolution: float = 1.0
    compression: float = 0.0

    def __post_init__(self) -> None:
        if not 8 <= self.crop <= 48 or not 0 < self.scale[0] <= self.scale[1]:
            raise FerError(
                f"Expected a crop from 8 to 48 pixels, and a scale above 0 with the minimum first. "
                f"Received: crop={self.crop}, scale={self.scale}"
            )
        if self.gamma < 1 or not 0 < self.resolution <= 1 or min(self.noise, self.blur, self.compression) < 0:
            raise FerError(
                f"Expected gamma of at least 1, a resolution above 0 and up to 1, and no negative strength. Received: "
                f"gamma={self.gamma}, resolution={self.resolution}, noise={self.noise}, blur={self.blur}, "
                f"compression={self.compression}"
            )
        if not 0 <= self.degraded <= 1 or not 0 <= self.cover <= 1:
            raise FerError(f"Expected shares from 0 to 1. Received: degraded={self.degraded}, cover={self.cover}")

    @property
    def only_mirrors(self) -> bool:
        """Whether faces are only mirrored, so that each has two views in all."""
        return self == replace(MIRROR_ONLY, flip=self.flip)

    @classmethod
    def of_strength(cls, strength: float, crop: int = 48) -> Augmentation:
        """Scale the default settings by one number: 0 only mirrors, 1 is the default, 2 the maximum."""
        if not 0 <= strength <= 2:
            raise FerError(f"Expected a strength of augmentation from 0 to 2. Received: {strength}")
        full = cls()
        return cls(
            crop=crop,
            rotation=full.rotation * strength,
            scale=(1 - (1 - full.scale[0]) * strength, 1 + (full.scale[1] - 1) * strength),
            shift=full.shift * strength,
            brightness=full.brightness * strength,
            contrast=full.contrast * strength,
            erase=min(1.0, full.erase * strength),
        )


MIRROR_ONLY = Augmentation(48, 0.0, (1.0, 1.0), 0.0, True, 0.0, 0.0, 0.0)  # a face or its mirror image
AS_THE_PAPER = Augmentation(48, 15.0, (0.85, 1.15), 0.0, True, 0.0, 0.0, 0.0)
"""The paper's three (section 3.4.2): rotation, flip and zoom. The paper does not give their strength."""

AS_THE_ABSTRACT = replace(AS_THE_PAPER, scale=(1.0, 1.0), shift=4.0)
"""The three of the paper's abstract: rotation, shift and flip."""

ROBUST = Augmentation(
    scale=(0.75, 1.25),  # the boxes of a face detector vary more than FER2013's framing
    shift=5.0,
    erase=0.25,  # half of the default, because as many faces are covered
    gamma=1.5,  # a webcam facing a window, or a flash
    cover=0.25,  # a hand, a cup or a mask, in one face of four
    degraded=0.4,  # two independent draws leave 36 % of the faces sharp and free of noise
    noise=30.0,  # slightly more than a webcam shows in a dark room (about 26)
    blur=2.2,  # a face of 20 pixels in the picture, enlarged to 48
    resolution=0.3,  # 14 pixels: a face at the back of a room
    compression=3.0,  # JPEG at quality 17, as in video calls on a slow connection
)
"""For faces from cameras as well as from FER2013."""

AUGMENTATIONS: Final = ("off", "mirror", "weak", "medium", "strong", "robust", "abstract", "section 3.4.2")
"""Names of settings; the last two are the paper's."""


def augmentation_named(name: str, spec: ModelSpec) -> Augmentation | None:
    """Return one of `AUGMENTATIONS` for a network."""
    if name not in AUGMENTATIONS:
        raise FerError(f"Unknown augmentation. Expected one of: {', '.join(AUGMENTATIONS)}. Received: {name}")
    fixed = {"off": None, "mirror": MIRROR_ONLY, "abstract": AS_THE_ABSTRACT, "section 3.4.2": AS_THE_PAPER}
    if name in fixed:
        return fixed[name]
    crop = 48 if spec.architecture == "transfer" else 44
    if name == "robust":
        return replace(ROBUST, crop=crop)
    return Augmentation.of_strength({"weak": 0.5, "medium": 1.0, "strong": 1.5}[name], crop=crop)


def augmented_copies(
    faces: NDArray[np.uint8], augmentations: Sequence[Augmentation], count: int, seed: int = 0
) -> list[NDArray[np.uint8]]:
    """Draw copies of faces `(n, 48, 48)` by the layers that training uses, in a child process, about ten seconds.

    Returns:
        For each augmentation `(n, count, crop, crop)` uint8 gray: what the network gets in training.

    Raises:
        FerError: the child process failed or took too long.
    """
    with tempfile.TemporaryDirectory(prefix="fer-lab-") as name:
        folder = Path(name)
        np.save(folder / FACES, faces)
        settings = {"augmentations": [asdict(kind) for kind in augmentations], "count": count, "seed": seed}
        (folder / SETTINGS).write_text(json.dumps(settings), encoding="utf-8")
        with FileLock(home() / ".augmented-copies.lock"):  # one child at a time
            file_of_child(
                *("-m", "fer_core.training.augmentation_layers", str(folder)),
                target=folder / COPIES,
                failed="Keras could not draw the copies",
                timeout=180,  # a busy computer starts TensorFlow slowly
            )
        with np.load(folder / COPIES, allow_pickle=False) as copies:
            return [copies[f"arr_{number}"] for number in range(len(augmentations))]


def augmentation_in_words(kind: Augmentation) -> str:
    """Return what an augmentation does, in sentences."""
    (low, high), of_all = kind.scale, percent(kind.degraded)
    changes = {
        f"rotated by up to {kind.rotation:g}°": True,
        f"scaled by {low:g} to {high:g}": low < high,
        f"shifted by up to {kind.shift:g} pixels": kind.shift,
        "mirrored or not": kind.flip,
        f"contrast changed by up to {percent(kind.contrast)}": kind.contrast,
        f"brightness changed by up to {percent(kind.brightness)} of the range": kind.brightness,
        f"gamma up to {kind.gamma:g}": kind.gamma > 1,
    }
    sentences = {
        f"Each copy is {', '.join(words for words, given in changes.items() if given)}.": True,
        f"{percent(kind.cover)} get a gray patch and {percent(kind.erase)} a patch of noise.": kind.cover or kind.erase,
        f"{of_all} get noise, and {of_all} blur, low resolution or compression, as from a poor camera.": kind.degraded,
        f"The network trains on the inner {kind.crop} × {kind.crop} pixels.": kind.crop < 48,
    }
    return " ".join(words for words, given in sentences.items() if given)
