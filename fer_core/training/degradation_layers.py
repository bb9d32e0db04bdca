"""Noise, blur, low resolution and compression of training faces, as backend-neutral operations and one Keras layer."""

from __future__ import annotations

import math
from typing import Any, Final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

BLOCK: Final = 8
"""Side of JPEG's blocks in pixels."""

# JPEG's standard table for luminance (ITU-T T.81, annex K.1), which is quality 50.
_LUMINANCE: Final = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_RESOLUTION_STEPS: Final = 3


def gaussian_blur(images: Any, sigma: Any, radius: int) -> Any:
    """Blur each image with a Gaussian of its own width.

    Args:
        images: `(batch, height, width, channels)` float32.
        sigma: `(batch,)` standard deviations in pixels, above 0.
        radius: pixels to each side that the kernel covers; borders are reflected.
    """
    offsets = ops.arange(-radius, radius + 1, dtype="float32")
    weights = ops.exp(-0.5 * ops.square(offsets[None, :] / sigma[:, None]))
    weights = (weights / ops.sum(weights, axis=1, keepdims=True))[:, :, None, None, None]
    size = images.shape[1:3]
    for axis in (1, 2):
        border = [[0, 0] for _ in range(4)]
        border[axis] = [radius, radius]
        padded = ops.pad(images, border, mode="symmetric")
        total = 0.0
        for k in range(2 * radius + 1):
            part = padded[:, k : k + size[0]] if axis == 1 else padded[:, :, k : k + size[1]]
            total = total + weights[:, k] * part
        images = total
    return images


def low_resolution(images: Any, side: int) -> Any:
    """Scale images `(batch, height, width, channels)` down to `side` pixels and up again, both bilinear."""
    small = ops.image.resize(images, (side, side), interpolation="bilinear", antialias=True)
    return ops.image.resize(small, images.shape[1:3], interpolation="bilinear")


def jpeg_quantization(images: Any, strength: Any) -> Any:
    """Quantise 8×8 blocks in the cosine domain, as JPEG does with gray levels.

    Args:
        images: `(batch, height, width, 1)` float32 of levels 0 to 255.
        strength: `(batch,)` factor of the standard luminance table, above 0.
    """
    height, width = images.shape[1:3]
    bottom, right = -height % BLOCK, -width % BLOCK
    padded = ops.pad(images, [[0, 0], [0, bottom], [0, right], [0, 0]], mode="symmetric") - 128.0
    rows, columns = (height + bottom) // BLOCK, (width + right) // BLOCK
    blocks = ops.transpose(ops.reshape(padded, (-1, rows, BLOCK, columns, BLOCK)), (0, 1, 3, 2, 4))
    cosine = ops.convert_to_tensor(_cosine_transform())
    steps = strength[:, None, None, None, None] * np.array(_LUMINANCE, np.float32)
    coefficients = ops.matmul(ops.matmul(cosine, blocks), ops.transpose(cosine))
    quantized = ops.round(coefficients / steps) * steps
    restored = ops.matmul(ops.matmul(ops.transpose(cosine), quantized), cosine)
    whole = ops.reshape(ops.transpose(restored, (0, 1, 3, 2, 4)), (-1, rows * BLOCK, columns * BLOCK, 1))
    return whole[:, :height, :width] + 128.0


@keras.saving.register_keras_serializable(package="fer_core")
class RandomDegradation(keras.layers.Layer):
    """Makes some faces noisy, and some blurred, coarse or compressed, while training only.

    Which faces, and how strongly up to the given maximum, is drawn anew for each. Noise comes last, as from a camera's
    sensor: it falls on blurred faces too.

    Args:
        share: of faces that get noise; drawn apart, of faces that get one of the other three.
        noise: greatest standard deviation of the noise, in gray levels.
        blur: greatest standard deviation of the blur, in pixels.
        resolution: smallest side after scaling down, as a share of the side.
        compression: greatest factor of JPEG's table.
        seed: of the layer's own random stream.
    """

    def __init__(
        self,
        share: float,
        noise: float = 0.0,
        blur: float = 0.0,
        resolution: float = 1.0,
        compression: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.share, self.noise, self.blur = share, noise, blur
        self.resolution, self.compression, self.seed = resolution, compression, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return `(batch, height, width, 1)` levels 0 to 255; unchanged unless training."""
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        batch = ops.shape(images)[0]
        softer = self._candidates(images, batch)
        if softer:
            kind = ops.floor(self._draw(batch) * len(softer))
            chosen = self._draw(batch) < self.share
            for number, candidate in enumerate(softer):
                taken = ops.logical_and(chosen, ops.equal(kind, float(number)))
                images = ops.where(taken[:, None, None, None], candidate, images)
        if self.noise:
            sigma = self._draw(batch) * self.noise * ops.cast(self._draw(batch) < self.share, "float32")
            noise = keras.random.normal(ops.shape(images), seed=self.generator, dtype="float32")
            images = images + sigma[:, None, None, None] * noise
        return ops.clip(images, 0.0, 255.0)

    def _candidates(self, images: Any, batch: Any) -> list[Any]:
        """Return the faces in every softer version that is asked for."""
        found = []
        if self.blur:
            sigma = 0.3 + self._draw(batch) * max(0.0, self.blur - 0.3)
            found.append(gaussian_blur(images, sigma, math.ceil(2.5 * self.blur)))
        if self.resolution < 1:
            step = ops.floor(self._draw(batch) * _RESOLUTION_STEPS)
            coarse = images
            for number in range(_RESOLUTION_STEPS):
                share = self.resolution + (0.8 - self.resolution) * number / (_RESOLUTION_STEPS - 1)
                version = low_resolution(images, max(2, round(images.shape[1] * share)))
                coarse = ops.where(ops.equal(step, float(number))[:, None, None, None], version, coarse)
            found.append(coarse)
        if self.compression:
            strength = 0.2 + self._draw(batch) * max(0.0, self.compression - 0.2)
            found.append(jpeg_quantization(images, strength))
        return found

    def _draw(self, batch: Any) -> Any:
        return keras.random.uniform((batch,), seed=self.generator, dtype="float32")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what Keras needs to build the layer again."""
        names = ("share", "noise", "blur", "resolution", "compression", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="fer_core")
class RandomGamma(keras.layers.Layer):
    """Raises gray levels, as a share of 255, to a random power from 1 / `greatest` to `greatest`, while training.

    Args:
        greatest: exponent, from 1 on.
        seed: of the layer's own random stream.
    """

    def __init__(self, greatest: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.greatest, self.seed = greatest, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return levels 0 to 255 in the shape of `images`; unchanged unless training."""
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        reach = math.log(self.greatest)
        batch = ops.shape(images)[0]
        power = ops.exp(keras.random.uniform((batch,), -reach, reach, seed=self.generator, dtype="float32"))
        shares = ops.clip(images / 255.0, 1e-4, 1.0)
        return 255.0 * ops.power(shares, power[:, None, None, None])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what Keras needs to build the layer again."""
        return {**super().get_config(), "greatest": self.greatest, "seed": self.seed}


def _cosine_transform() -> NDArray[np.float32]:
    """Return the orthonormal type-II cosine transform `(8, 8)`: rows are frequencies."""
    frequency, place = np.mgrid[0:BLOCK, 0:BLOCK]
    matrix = np.cos(np.pi * (2 * place + 1) * frequency / (2 * BLOCK)) * np.sqrt(2 / BLOCK)
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)
