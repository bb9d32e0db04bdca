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
    """

    crop: int = 44
    rotation: float = 15.0
    scale: tuple[float, float] = (0.85, 1.15)
    shift: float = 4.0
    flip: bool = True
    brightness: float = 0.15
    contrast: float = 0.3
    erase: float = 0.5

    def __post_init__(self) -> None:
        if not 8 <= self.crop <= 48 or not 0 < self.scale[0] <= self.scale[1]:
            raise FerError(
                f"Expected a crop from 8 to 48 pixels and a scale from small to great, above 0. "
                f"Received: crop={self.crop}, scale={self.scale}"
            )

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
