"""The layers that vary training faces. They are backend-neutral and do nothing outside training.

`python -m fer_core.training.augmentation_layers FOLDER` draws the copies of `augmentation.augmented_copies`.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from keras import layers, ops
from scipy.fft import dct

from fer_core.training.augmentation import COPIES, FACES, SETTINGS, Augmentation

BLOCK: Final = 8  # side of JPEG's blocks in pixels
COSINE: Final = dct(np.eye(BLOCK), axis=0, norm="ortho").astype(np.float32)  # rows are frequencies
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
    chain: list[layers.Layer] = [RandomAffineCrop(a, seed)]
    if a.contrast:
        chain.append(layers.RandomContrast(a.contrast, value_range=(0, 255), seed=seed + 1, dtype="float32"))
    if a.brightness:
        chain.append(layers.RandomBrightness(a.brightness, value_range=(0, 255), seed=seed + 2, dtype="float32"))
    if a.gamma > 1:
        chain.append(RandomGamma(a, seed + 4))
    if a.cover:
        chain.append(layers.RandomErasing((a.cover, a.cover), (0.05, 0.25), 128.0, seed=seed + 5, dtype="float32"))
    if a.degraded:
        chain.append(RandomDegradation(a, seed + 6))
    if a.erase:
        chain.append(layers.RandomErasing((a.erase, a.erase), scale=(0.02, 0.2), seed=seed + 3, dtype="float32"))
    return chain


class RandomVariation(layers.Layer):
    """Base of layers that change each image at random in training, in float32, and otherwise return it unchanged."""

    def __init__(self, augmentation: Augmentation, seed: int) -> None:
        super().__init__(dtype="float32")
        self.augmentation = augmentation
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        images = ops.cast(images, "float32")
        return self.vary(images) if training else images

    def vary(self, images: Any) -> Any:
        """Return the varied images `(batch, height, width, channels)`, levels from 0 to 255."""
        raise NotImplementedError

    def draw(self, images: Any, low: float = 0.0, high: float = 1.0) -> Any:
        """Draw one number for each image, `(batch,)`, uniformly from `low` to `high`."""
        return keras.random.uniform((ops.shape(images)[0],), low, high, seed=self.generator, dtype="float32")


class RandomAffineCrop(RandomVariation):
    """Rotation, scale, shift, flip and centre crop in a single bilinear resampling.

    Keras' layers resample once each, and on faces of 48 pixels repeated resampling removes detail.
    """

    def vary(self, images: Any) -> Any:
        height, width = images.shape[1], images.shape[2]
        warped = ops.image.affine_transform(
            images, self._transforms(images, height, width), interpolation="bilinear", fill_mode="reflect"
        )
        size = self.augmentation.crop
        top, left = (height - size) // 2, (width - size) // 2
        return warped[:, top : top + size, left : left + size, :]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape with unknown height and width: the size of the crop in training, else the input's."""
        return (input_shape[0], None, None, input_shape[3])

    def _transforms(self, images: Any, height: int, width: int) -> Any:
        """Draw projective transforms `(batch, 8)` from output x, y to input x, y about the centre of the image."""
        a = self.augmentation
        angle = self.draw(images, -a.rotation, a.rotation) * (math.pi / 180)
        zoom = 1.0 / self.draw(images, *a.scale)
        mirror = ops.where(self.draw(images) < (0.5 if a.flip else 0.0), -1.0, 1.0)
        cosine, sine = ops.cos(angle) * zoom, ops.sin(angle) * zoom
        a0, a1, b0, b1 = cosine * mirror, -sine, sine * mirror, cosine
        center_x, center_y = (width - 1) / 2, (height - 1) / 2
        a2 = center_x - a0 * center_x - a1 * center_y + self.draw(images, -a.shift, a.shift)
        b2 = center_y - b0 * center_x - b1 * center_y + self.draw(images, -a.shift, a.shift)
        zero = ops.zeros_like(a0)
        return ops.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1)


class RandomGamma(RandomVariation):
    """Raise gray levels, as a share of 255, to a random power from 1 / `gamma` to `gamma`."""

    def vary(self, images: Any) -> Any:
        largest = math.log(self.augmentation.gamma)
        power = ops.exp(self.draw(images, -largest, largest))
        return 255.0 * ops.power(ops.clip(images / 255.0, 1e-4, 1.0), _each(power))


class RandomDegradation(RandomVariation):
    """Blur, coarsen or compress some of the images, and add noise to some, as cameras do.

    Noise comes last, as from a camera's sensor, so that it also falls on blurred images.
    """

    def vary(self, images: Any) -> Any:
        share, noise = self.augmentation.degraded, self.augmentation.noise
        versions = self._versions(images)
        if versions:
            chosen = self.draw(images) < share
            kind = ops.floor(self.draw(images) * len(versions))
            for number, version in enumerate(versions):
                images = ops.where(_each(ops.logical_and(chosen, ops.equal(kind, float(number)))), version, images)
        if noise:
            sigma = self.draw(images, 0.0, noise) * ops.cast(self.draw(images) < share, "float32")
            normal = keras.random.normal(ops.shape(images), seed=self.generator, dtype="float32")
            images = images + _each(sigma) * normal
        return ops.clip(images, 0.0, 255.0)

    def _versions(self, images: Any) -> list[Any]:
        """Return all images blurred, coarse and compressed, as far as these are switched on."""
        a, versions = self.augmentation, []
        if a.blur:
            sigma = self.draw(images, min(0.3, a.blur), a.blur)
            versions.append(gaussian_blur(images, sigma, math.ceil(2.5 * a.blur)))
        if a.resolution < 1:
            coarse, step = images, ops.floor(self.draw(images) * 3)
            for number, share in enumerate(np.linspace(a.resolution, 0.8, 3)):
                side = max(2, round(images.shape[1] * share))
                small = ops.image.resize(images, (side, side), interpolation="bilinear", antialias=True)
                version = ops.image.resize(small, images.shape[1:3], interpolation="bilinear")
                coarse = ops.where(_each(ops.equal(step, float(number))), version, coarse)
            versions.append(coarse)
        if a.compression:
            versions.append(jpeg_quantization(images, self.draw(images, min(0.2, a.compression), a.compression)))
        return versions


def gaussian_blur(images: Any, sigma: Any, radius: int) -> Any:
    """Blur each image with a Gaussian of its own standard deviation `sigma` `(batch,)`; borders are reflected.

    Keras' `RandomGaussianBlur` has one width for a batch. `radius` is half the side of the kernel in pixels.
    """
    offsets = ops.arange(-radius, radius + 1, dtype="float32")
    weights = ops.exp(-0.5 * ops.square(offsets[None, :] / sigma[:, None]))
    weights = weights / ops.sum(weights, axis=1, keepdims=True)
    height, width = images.shape[1:3]
    padded = ops.pad(images, [[0, 0], [radius, radius], [0, 0], [0, 0]], mode="symmetric")
    images = sum(_each(weights[:, k]) * padded[:, k : k + height] for k in range(2 * radius + 1))
    padded = ops.pad(images, [[0, 0], [0, 0], [radius, radius], [0, 0]], mode="symmetric")
    return sum(_each(weights[:, k]) * padded[:, :, k : k + width] for k in range(2 * radius + 1))


def jpeg_quantization(images: Any, strength: Any) -> Any:
    """Quantize the cosine transform of 8×8 blocks, as JPEG does with gray images, by `strength` times `LUMINANCE`."""
    height, width = images.shape[1:3]
    bottom, right = -height % BLOCK, -width % BLOCK
    rows, columns = (height + bottom) // BLOCK, (width + right) // BLOCK
    padded = ops.pad(images, [[0, 0], [0, bottom], [0, right], [0, 0]], mode="symmetric") - 128.0
    blocks = ops.transpose(ops.reshape(padded, (-1, rows, BLOCK, columns, BLOCK)), (0, 1, 3, 2, 4))
    steps = strength[:, None, None, None, None] * LUMINANCE
    quantized = ops.round(ops.matmul(ops.matmul(COSINE, blocks), COSINE.T) / steps) * steps
    restored = ops.transpose(ops.matmul(ops.matmul(COSINE.T, quantized), COSINE), (0, 1, 3, 2, 4))
    return ops.reshape(restored, (-1, rows * BLOCK, columns * BLOCK, 1))[:, :height, :width] + 128.0


def _each(values: Any) -> Any:
    """Shape one value for each image, `(batch,)`, so that it applies to all pixels of that image."""
    return values[:, None, None, None]


def main(folder: Path) -> None:
    """Read faces and settings in the folder, and write the copies to it."""
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    faces = np.load(folder / FACES, allow_pickle=False)
    copies = []
    for kind in settings["augmentations"]:
        images = np.repeat(faces, settings["count"], axis=0).astype(np.float32)[..., None]
        for layer in augmentation_layers(Augmentation(**{**kind, "scale": tuple(kind["scale"])}), settings["seed"]):
            images = layer(images, training=True)
        levels = np.clip(np.rint(np.asarray(images)[..., 0]), 0, 255).astype(np.uint8)
        copies.append(levels.reshape(len(faces), settings["count"], *levels.shape[1:]))
    np.savez(folder / COPIES, *copies)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
