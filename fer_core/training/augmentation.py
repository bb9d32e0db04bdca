"""How strongly training faces vary: one dataclass, Keras-free."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fer_core.types import FerError


@dataclass(frozen=True)
class Augmentation:
    """How strongly training faces vary.

    Attributes:
        crop: side in pixels of the random crop that the network trains on.
        rotation: greatest angle in degrees, either way.
        scale: smallest and greatest magnification.
        shift: greatest displacement in pixels, either way.
        flip: mirror half of the faces.
        brightness: greatest change as a share of 255.
        contrast: greatest change of the factor from 1.
        erase: share of faces of which one patch of 2 to 20 % becomes noise (Zhong et al. 2020).
        gamma: greatest factor of the exponent of the gray levels, either way; 1 changes nothing.
        cover: share of faces of which one patch of 5 to 25 % becomes flat gray, as under a hand or a mask.
        degraded: share of faces that get noise, and, drawn apart, the share that get blur, a lower resolution or
            compression (one of these). The four strengths below say how much at most.
        noise: standard deviation of Gaussian noise, in gray levels of 255.
        blur: standard deviation of a Gaussian blur, in pixels of the 48.
        resolution: smallest side to which a face is scaled down and up again, as a share of its side; 1 does nothing.
        compression: greatest factor of JPEG's standard quantisation table; 1 is quality 50.
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
                f"Expected a crop from 8 to 48 pixels and a scale from small to great, above 0. "
                f"Received: crop={self.crop}, scale={self.scale}"
            )
        if self.gamma < 1 or not 0 < self.resolution <= 1 or min(self.noise, self.blur, self.compression) < 0:
            raise FerError(
                f"Expected gamma from 1 on, a resolution above 0 and at most 1, and no negative strength. Received: "
                f"gamma={self.gamma}, resolution={self.resolution}, noise={self.noise}, blur={self.blur}, "
                f"compression={self.compression}"
            )
        if not 0 <= self.degraded <= 1 or not 0 <= self.cover <= 1:
            raise FerError(f"Expected shares from 0 to 1. Received: degraded={self.degraded}, cover={self.cover}")

    @property
    def only_mirrors(self) -> bool:
        """Whether nothing but mirroring happens, so that a face has two views in all."""
        return self == replace(MIRROR_ONLY, flip=self.flip)

    @classmethod
    def of_strength(cls, strength: float, crop: int = 48) -> Augmentation:
        """Return everything scaled by one number: 0 only mirrors, 1 is as strong as the default, 2 twice that.

        Raises:
            FerError: a strength outside 0 to 2.
        """
        if not 0 <= strength <= 2:
            raise FerError(f"Expected a strength of augmentation from 0 to 2. Received: {strength}")
        full = cls()
        return cls(
            crop=crop,
            rotation=full.rotation * strength,
            scale=(1 - (1 - full.scale[0]) * strength, 1 + (full.scale[1] - 1) * strength),
            shift=full.shift * strength,
            flip=True,
            brightness=full.brightness * strength,
            contrast=full.contrast * strength,
            erase=min(1.0, full.erase * strength),
        )


MIRROR_ONLY = Augmentation(48, 0.0, (1.0, 1.0), 0.0, True, 0.0, 0.0, 0.0)
"""A face or its mirror image."""

AS_THE_PAPER = Augmentation(48, 15.0, (0.85, 1.15), 0.0, True, 0.0, 0.0, 0.0)
"""The paper's kinds (its section 3.4.2): rotation, flip and zoom. It does not say how strong."""

ROBUST = Augmentation(
    scale=(0.75, 1.25),  # a face detector's box is off by more than FER2013's own frames
    shift=5.0,
    erase=0.25,
    gamma=1.5,  # a webcam against the light, or a flash
    cover=0.25,
    degraded=0.4,  # two kinds drawn apart: 36 % of the faces stay sharp and free of noise
    noise=30.0,  # a little beyond what a webcam shows in the dark (about 26)
    blur=2.2,  # a face that is 20 pixels wide in the picture, enlarged to 48
    resolution=0.3,
    compression=3.0,  # JPEG at quality 17, as video calls on a slow line
)
"""For faces from cameras, not only from FER2013."""
