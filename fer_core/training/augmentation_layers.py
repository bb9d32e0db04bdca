"""The layers that vary training faces. They are backend-neutral and do nothing outside training."""

from __future__ import annotations

import math
from typing import Any, Final

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from fer_core.training.augmentation import Augmentation

GRAY_LEVELS: Final = (0, 255)
BLOCK: Final = 8
"""Side of JPEG's blocks in pixels."""

LUMINANCE: Final = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
"""JPEG's standard quantization table for luminance at quality 50 (ITU-T T.81, annex K.1)."""


def augmentation_layers(augmentation: Augmentation, seed: int) -> list[layers.Layer]:
    """Build the layers for gray faces `(batch, height, width, 1)` with levels from 0 to 255, in order.

    In training they return `(batch, crop, crop, 1)`, otherwise the faces unchanged.
    """
    a = augmentation
    chain = [RandomAffineCrop(a.crop, a.rotation, a.scale, a.shift, a.flip, seed)]
    if a.contrast:
        chain.append(layers.RandomContrast(a.contrast, value_range=GRAY_LEVELS, seed=seed + 1, dtype="float32"))
    if a.brightness:
        chain.append(layers.RandomBrightness(a.brightness, value_range=GRAY_LEVELS, seed=seed + 2, dtype="float32"))
    if a.gamma > 1:
        chain.append(RandomGamma(a.gamma, seed + 4))
    if a.cover:
        chain.append(layers.RandomErasing((a.cover, a.cover), (0.05, 0.25), 128.0, seed=seed + 5, dtype="float32"))
    if a.degraded:
        chain.append(RandomDegradation(a.degraded, a.noise, a.blur, a.resolution, a.compression, seed + 6))
    if a.erase:
        chain.append(layers.RandomErasing((a.erase, a.erase), scale=(0.02, 0.2), seed=seed + 3, dtype="float32"))
    return chain


class RandomVariation(layers.Layer):
    """Base of layers that change each image at random in training, in float32, and otherwise return it unchanged.

    Args:
        seed: of the layer's own random stream.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(dtype="float32")
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return `images` `(batch, height, width, channels)`, varied if `training`."""
        images = ops.cast(images, "float32")
        return self.vary(images) if training else images

    def vary(self, images: Any) -> Any:
        """Return the varied images; subclasses override this."""
        return images

    def draw(self, images: Any, low: float = 0.0, high: float = 1.0) -> Any:
        """Draw one number for each image, `(batch,)`, uniformly from `low` to `high`."""
        return keras.random.uniform((ops.shape(images)[0],), low, high, seed=self.generator, dtype="float32")


class RandomAffineCrop(RandomVariation):
    """Rotation, scale, shift, flip and centre crop in a single bilinear resampling.

    Keras' layers resample once each, and on faces of 48 pixels repeated resampling removes detail.

    Args:
        size: side of the crop in pixels, at most that of the images.
        rotation: maximum angle in degrees.
        scale: minimum and maximum magnification.
        shift: maximum displacement in pixels.
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
    ) -> None:
        super().__init__(seed)
        self.size, self.rotation, self.scale, self.shift, self.flip = size, rotation, scale, shift, flip

    def vary(self, images: Any) -> Any:
        """Return `(batch, size, size, channels)`."""
        height, width = images.shape[1], images.shape[2]
        warped = ops.image.affine_transform(
            images, self._transforms(images, height, width), interpolation="bilinear", fill_mode="reflect"
        )
        top, left = (height - self.size) // 2, (width - self.size) // 2
        return warped[:, top : top + self.size, left : left + self.size, :]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape with unknown height and width: the size of the crop in training, else the input's."""
        return (input_shape[0], None, None, input_shape[3])

    def _transforms(self, images: Any, height: int, width: int) -> Any:
        """Draw projective transforms `(batch, 8)` from output x, y to input x, y about the centre of the image."""
        angle = self.draw(images, -self.rotation, self.rotation) * (math.pi / 180)
        zoom = 1.0 / self.draw(images, *self.scale)
        mirror = ops.where(self.draw(images) < (0.5 if self.flip else 0.0), -1.0, 1.0)
        cosine, sine = ops.cos(angle) * zoom, ops.sin(angle) * zoom
        a0, a1, b0, b1 = cosine * mirror, -sine, sine * mirror, cosine
        center_x, center_y = (width - 1) / 2, (height - 1) / 2
        a2 = center_x - a0 * center_x - a1 * center_y + self.draw(images, -self.shift, self.shift)
        b2 = center_y - b0 * center_x - b1 * center_y + self.draw(images, -self.shift, self.shift)
        zero = ops.zeros_like(a0)
        return ops.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1)


class RandomGamma(RandomVariation):
    """Raise gray levels, as a share of 255, to a random power from 1 / `maximum` to `maximum`.

    Args:
        maximum: exponent, at least 1.
        seed: of the layer's own random stream.
    """

    def __init__(self, maximum: float, seed: int | None = None) -> None:
        super().__init__(seed)
        self.maximum = maximum

    def vary(self, images: Any) -> Any:
        """Return levels from 0 to 255."""
        power = ops.exp(self.draw(images, -math.log(self.maximum), math.log(self.maximum)))
        return 255.0 * ops.power(ops.clip(images / 255.0, 1e-4, 1.0), _each(power))


class RandomDegradation(RandomVariation):
    """Blur, coarsen or compress some of the images, and add noise to some, as cameras do.

    Noise comes last, as from a camera's sensor, so that it also falls on blurred images.

    Args:
        share: share of the images that get noise, and, drawn independently, share that get one of the other three.
        noise: maximum standard deviation of the noise, in gray levels.
        blur: maximum standard deviation of the blur, in pixels.
        resolution: minimum side after scaling down, as a share of the side.
        compression: maximum factor of JPEG's quantization table.
        seed: of the layer's own random stream.
    """

    RESOLUTIONS: Final = 3

    def __init__(
        self,
        share: float,
        noise: float = 0.0,
        blur: float = 0.0,
        resolution: float = 1.0,
        compression: float = 0.0,
        seed: int | None = None,
    ) -> None:
        super().__init__(seed)
        self.share, self.noise, self.blur = share, noise, blur
        self.resolution, self.compression = resolution, compression

    def vary(self, images: Any) -> Any:
        """Return levels from 0 to 255 in the shape of `images` `(batch, height, width, 1)`."""
        versions = self._versions(images)
        if versions:
            chosen = self.draw(images) < self.share
            kind = ops.floor(self.draw(images) * len(versions))
            for number, version in enumerate(versions):
                images = ops.where(_each(ops.logical_and(chosen, ops.equal(kind, float(number)))), version, images)
        if self.noise:
            sigma = self.draw(images, 0.0, self.noise) * ops.cast(self.draw(images) < self.share, "float32")
            noise = keras.random.normal(ops.shape(images), seed=self.generator, dtype="float32")
            images = images + _each(sigma) * noise
        return ops.clip(images, 0.0, 255.0)

    def _versions(self, images: Any) -> list[Any]:
        """Return all images blurred, coarse and compressed, as far as these are switched on."""
        versions = []
        if self.blur:
            sigma = self.draw(images, min(0.3, self.blur), self.blur)
            versions.append(gaussian_blur(images, sigma, math.ceil(2.5 * self.blur)))
        if self.resolution < 1:
            coarse, step = images, ops.floor(self.draw(images) * self.RESOLUTIONS)
            for number, share in enumerate(np.linspace(self.resolution, 0.8, self.RESOLUTIONS)):
                version = low_resolution(images, max(2, round(images.shape[1] * share)))
                coarse = ops.where(_each(ops.equal(step, float(number))), version, coarse)
            versions.append(coarse)
        if self.compression:
            strength = self.draw(images, min(0.2, self.compression), self.compression)
            versions.append(jpeg_quantization(images, strength))
        return versions


def gaussian_blur(images: Any, sigma: Any, radius: int) -> Any:
    """Blur each image with a Gaussian of its own width.

    Args:
        images: `(batch, height, width, channels)` float32.
        sigma: standard deviations in pixels, `(batch,)`, above 0.
        radius: half the side of the kernel in pixels; borders are reflected.
    """
    offsets = ops.arange(-radius, radius + 1, dtype="float32")
    weights = ops.exp(-0.5 * ops.square(offsets[None, :] / sigma[:, None]))
    weights = weights / ops.sum(weights, axis=1, keepdims=True)
    height, width = images.shape[1:3]
    padded = ops.pad(images, [[0, 0], [radius, radius], [0, 0], [0, 0]], mode="symmetric")
    images = sum(_each(weights[:, k]) * padded[:, k : k + height] for k in range(2 * radius + 1))
    padded = ops.pad(images, [[0, 0], [0, 0], [radius, radius], [0, 0]], mode="symmetric")
    return sum(_each(weights[:, k]) * padded[:, :, k : k + width] for k in range(2 * radius + 1))


def low_resolution(images: Any, side: int) -> Any:
    """Scale images `(batch, height, width, channels)` down to `side` pixels and up again, both bilinearly."""
    small = ops.image.resize(images, (side, side), interpolation="bilinear", antialias=True)
    return ops.image.resize(small, images.shape[1:3], interpolation="bilinear")


def jpeg_quantization(images: Any, strength: Any) -> Any:
    """Quantize the cosine transform of 8×8 blocks, as JPEG does with gray images.

    Args:
        images: `(batch, height, width, 1)` float32 with levels from 0 to 255.
        strength: factors of `LUMINANCE`, `(batch,)`, above 0.
    """
    height, width = images.shape[1:3]
    bottom, right = -height % BLOCK, -width % BLOCK
    rows, columns = (height + bottom) // BLOCK, (width + right) // BLOCK
    padded = ops.pad(images, [[0, 0], [0, bottom], [0, right], [0, 0]], mode="symmetric") - 128.0
    blocks = ops.transpose(ops.reshape(padded, (-1, rows, BLOCK, columns, BLOCK)), (0, 1, 3, 2, 4))
    cosine = ops.convert_to_tensor(_cosine_transform())
    steps = strength[:, None, None, None, None] * LUMINANCE
    quantized = ops.round(ops.matmul(ops.matmul(cosine, blocks), ops.transpose(cosine)) / steps) * steps
    restored = ops.transpose(ops.matmul(ops.matmul(ops.transpose(cosine), quantized), cosine), (0, 1, 3, 2, 4))
    return ops.reshape(restored, (-1, rows * BLOCK, columns * BLOCK, 1))[:, :height, :width] + 128.0


def _cosine_transform() -> NDArray[np.float32]:
    """Return the orthonormal type-II cosine transform `(8, 8)`; rows are frequencies."""
    frequency, place = np.mgrid[0:BLOCK, 0:BLOCK]
    matrix = np.cos(np.pi * (2 * place + 1) * frequency / (2 * BLOCK)) * np.sqrt(2 / BLOCK)
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


def _each(values: Any) -> Any:
    """Shape one value for each image, `(batch,)`, so that it applies to all pixels of that image."""
    return values[:, None, None, None]
