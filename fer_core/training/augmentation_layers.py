"""Random variations of training faces, as backend-neutral Keras layers that do nothing outside training."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from fer_core.training.augmentation import Augmentation
from fer_core.training.degradation_layers import RandomDegradation, RandomGamma

GRAY_LEVELS = (0, 255)


def augmentation_layers(augmentation: Augmentation, seed: int) -> list[layers.Layer]:
    """Build the layers, in order, for gray faces `(batch, height, width, 1)` of levels 0 to 255.

    While training the faces come out as `(batch, crop, crop, 1)`; otherwise unchanged.
    """
    a = augmentation
    chain: list[layers.Layer] = [
        RandomAffineCrop(a.crop, a.rotation, a.scale, a.shift, a.flip, seed=seed, dtype="float32")
    ]
    if a.contrast:
        chain.append(layers.RandomContrast(a.contrast, value_range=GRAY_LEVELS, seed=seed + 1, dtype="float32"))
    if a.brightness:
        chain.append(layers.RandomBrightness(a.brightness, value_range=GRAY_LEVELS, seed=seed + 2, dtype="float32"))
    if a.gamma > 1:
        chain.append(RandomGamma(a.gamma, seed=seed + 4, dtype="float32"))
    if a.cover:
        cover = layers.RandomErasing((a.cover, a.cover), (0.05, 0.25), 128.0, seed=seed + 5, dtype="float32")
        chain.append(cover)
    if a.degraded:
        strengths = {"noise": a.noise, "blur": a.blur, "resolution": a.resolution, "compression": a.compression}
        chain.append(RandomDegradation(a.degraded, **strengths, seed=seed + 6, dtype="float32"))
    if a.erase:
        chain.append(layers.RandomErasing((a.erase, a.erase), scale=(0.02, 0.2), seed=seed + 3, dtype="float32"))
    return chain


@keras.saving.register_keras_serializable(package="fer_core")
class RandomAffineCrop(layers.Layer):
    """Rotation, scale, shift, flip and centre crop in one bilinear resampling.

    Keras' own layers each resample once; on faces of 48 pixels three passes blur away what matters.

    Args:
        size: side of the crop in pixels, at most the input's.
        rotation: greatest angle in degrees.
        scale: `(smallest, greatest)` magnification.
        shift: greatest displacement in pixels.
        flip: mirror half of the images.
        seed: of the layer's own random stream.
    """

    def __init__(
        self,
        size: int,
        rotation: float = 0.0,
        scale: tuple[float, float] = (1.0, 1.0),
        shift: float = 0.0,
        flip: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size, self.rotation, self.scale, self.shift, self.flip, self.seed = (
            size,
            rotation,
            scale,
            shift,
            flip,
            seed,
        )
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return `(batch, size, size, channels)` while training, else `images` as they are."""
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        height, width = images.shape[1], images.shape[2]
        warped = ops.image.affine_transform(
            images, self._transforms(ops.shape(images)[0], height, width), interpolation="bilinear", fill_mode="reflect"
        )
        top, left = (height - self.size) // 2, (width - self.size) // 2
        return warped[:, top : top + self.size, left : left + self.size, :]

    def _transforms(self, batch: Any, height: int, width: int) -> Any:
        """Draw `(batch, 8)` projective rows that take output x, y to input x, y, about the image's centre."""

        def draw(low: float, high: float) -> Any:
            return keras.random.uniform((batch,), low, high, seed=self.generator, dtype="float32")

        angle = draw(-self.rotation, self.rotation) * (3.141592653589793 / 180)
        zoom = 1.0 / draw(*self.scale)
        mirror = ops.where(draw(0.0, 1.0) < (0.5 if self.flip else 0.0), -1.0, 1.0)
        cosine, sine = ops.cos(angle) * zoom, ops.sin(angle) * zoom
        a0, a1, b0, b1 = cosine * mirror, -sine, sine * mirror, cosine
        center_x, center_y = (width - 1) / 2, (height - 1) / 2
        a2 = center_x - a0 * center_x - a1 * center_y + draw(-self.shift, self.shift)
        b2 = center_y - b0 * center_x - b1 * center_y + draw(-self.shift, self.shift)
        zero = ops.zeros_like(a0)
        return ops.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The spatial size depends on the phase: crop while training, input otherwise."""
        return (input_shape[0], None, None, input_shape[3])

    def get_config(self) -> dict[str, Any]:
        """Keras' serialisation."""
        names = ("size", "rotation", "scale", "shift", "flip", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
