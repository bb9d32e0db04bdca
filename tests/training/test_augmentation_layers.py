"""Augmentation layers against SciPy's resampling and blur, OpenCV's JPEG, and invariants."""

from dataclasses import replace

import cv2
import keras
import numpy as np
import pytest
from scipy import ndimage

from fer_core.training.augmentation import MIRROR_ONLY, ROBUST, Augmentation
from fer_core.training.augmentation_layers import (
    RandomAffineCrop,
    RandomDegradation,
    RandomGamma,
    augmentation_layers,
    gaussian_blur,
    jpeg_quantization,
)

STILL = replace(MIRROR_ONLY, flip=False)


def varied(layer, faces):
    return np.asarray(layer(faces, training=True))


@pytest.fixture(scope="module")
def faces():
    """64 smooth pictures, `(64, 48, 48, 1)` float32 of levels 0 to 255."""
    noise = np.random.default_rng(0).uniform(0, 255, (64, 48, 48))
    smooth = np.stack([ndimage.gaussian_filter(face, 2) for face in noise])
    low, high = smooth.min(axis=(1, 2), keepdims=True), smooth.max(axis=(1, 2), keepdims=True)
    return (255 * (smooth - low) / (high - low)).astype(np.float32)[..., None]


def test_blur_agrees_with_scipy_for_each_width(faces):
    widths = np.array([0.5, 1.7], np.float32)
    blurred = np.asarray(gaussian_blur(faces[:2], widths, 8))
    for face, width, ours in zip(faces, widths, blurred, strict=False):
        expected = ndimage.gaussian_filter(face[..., 0], width, mode="reflect", truncate=8 / width)
        np.testing.assert_allclose(ours[..., 0], expected, atol=0.05)


def test_quantization_agrees_with_opencvs_jpeg_at_quality_50(faces):
    rough = faces[0, ..., 0] + np.random.default_rng(1).normal(0, 12, (48, 48))
    gray = np.clip(np.rint(rough), 0, 255).astype(np.uint8)
    _, file = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 50])
    expected = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE).astype(float)
    ours = np.asarray(jpeg_quantization(gray[None, ..., None].astype(np.float32), np.ones(1, np.float32)))[0, ..., 0]
    lost = np.abs(gray - expected).mean()
    assert lost > 3
    assert np.abs(ours - expected).mean() < 0.1 * lost
    # sides that are no multiple of eight keep their size
    assert jpeg_quantization(faces[:3, :44, :42], np.full(3, 0.2, np.float32)).shape == (3, 44, 42, 1)


def test_low_resolution_keeps_the_mean_and_loses_detail(faces):
    coarse = varied(RandomDegradation(replace(STILL, degraded=1.0, resolution=0.15), 1), faces)
    np.testing.assert_allclose(coarse.mean(), faces.mean(), rtol=0.02)
    assert coarse.std() < 0.9 * faces.std()


def test_degradation_falls_on_its_share_and_is_at_most_as_strong_as_asked(faces):
    gray = np.full((400, 48, 48, 1), 127.0, np.float32)
    noisy = varied(RandomDegradation(replace(STILL, degraded=0.5, noise=20.0), 3), gray)
    deviations = noisy.std(axis=(1, 2, 3))
    assert 0.4 < (deviations > 0).mean() < 0.6
    assert 15 < deviations.max() < 21
    assert np.abs(noisy.mean() - 127) < 0.5
    layer = RandomDegradation(replace(STILL, degraded=0.5, blur=2.0, resolution=0.3, compression=2.0), 1)
    different = np.abs(varied(layer, faces) - faces).max(axis=(1, 2, 3)) > 0.01
    assert 0.3 < different.mean() < 0.7


def test_gamma_keeps_the_order_and_stays_within_its_exponents():
    ramp = np.tile(np.linspace(1, 255, 48, dtype=np.float32), (20, 48, 1))[..., None]
    curved = varied(RandomGamma(replace(STILL, gamma=1.5), 2), ramp)
    assert np.all(np.diff(curved[:, 0, :, 0], axis=1) > 0)
    np.testing.assert_allclose(curved[:, :, -1], 255, atol=1e-3)
    exponents = np.log(curved[:, 0, 24, 0] / 255) / np.log(ramp[0, 0, 24, 0] / 255)
    assert exponents.min() >= 1 / 1.5 - 1e-3
    assert exponents.max() <= 1.5 + 1e-3
    assert exponents.std() > 0.1


@pytest.mark.parametrize("augmentation", [ROBUST, Augmentation(crop=40)])
def test_a_chain_keeps_range_and_size_and_does_nothing_outside_training(faces, augmentation):
    x = inputs = keras.Input((48, 48, 1), dtype="uint8")
    for layer in augmentation_layers(augmentation, 5):
        x = layer(x)
    model = keras.Model(inputs, x)
    out = varied(model, faces.astype(np.uint8))
    assert out.shape == (64, augmentation.crop, augmentation.crop, 1)
    assert out.min() >= 0
    assert out.max() <= 255
    np.testing.assert_array_equal(np.asarray(model(faces.astype(np.uint8), training=False)), faces.astype(np.uint8))


@pytest.mark.parametrize("zoom", [1.0, 1.25])
def test_fixed_zoom_agrees_with_scipy(faces, zoom):
    out = varied(RandomAffineCrop(replace(STILL, crop=40, scale=(zoom, zoom)), 0), faces)
    center = np.full(2, 23.5)
    for face, ours in zip(faces[..., 0], out[..., 0], strict=True):
        expected = ndimage.affine_transform(face, np.eye(2) / zoom, center - center / zoom, order=1)[4:44, 4:44]
        np.testing.assert_allclose(ours, expected, atol=0.05)


def test_flip_mirrors_about_half_of_the_faces_and_leaves_every_pixel_in_place(faces):
    (layer,) = augmentation_layers(MIRROR_ONLY, seed=3)
    out = varied(layer, np.repeat(faces[:1], 400, axis=0))
    plain = np.abs(out - faces[:1]).max(axis=(1, 2, 3)) < 0.01
    mirrored = np.abs(out - faces[:1, :, ::-1]).max(axis=(1, 2, 3)) < 0.01
    assert (plain | mirrored).all()
    assert 140 < mirrored.sum() < 260


def test_rotation_stays_within_its_range():
    """A bright dot on the vertical axis moves sideways by at most radius · sin(angle)."""
    dot = np.zeros((200, 48, 48, 1), "float32")
    dot[:, 7:10, 22:26] = 255
    out = varied(RandomAffineCrop(replace(STILL, rotation=20), 1), dot)[..., 0]
    columns = (out.sum(axis=1) * np.arange(48)).sum(axis=1) / out.sum(axis=(1, 2))
    angles = np.degrees(np.arcsin((columns - 23.5) / 15.5))
    assert np.abs(angles).max() < 21
    assert angles.min() < -15 < 15 < angles.max()
