"""Augmentation layers against SciPy's resampling and blur, OpenCV's JPEG, and invariants."""

import cv2
import keras
import numpy as np
import pytest
from keras import ops
from scipy import ndimage

from fer_core.training.augmentation import MIRROR_ONLY, ROBUST, Augmentation
from fer_core.training.augmentation_layers import (
    RandomAffineCrop,
    RandomDegradation,
    RandomGamma,
    augmentation_layers,
    gaussian_blur,
    jpeg_quantization,
    low_resolution,
)


@pytest.fixture
def faces():
    """64 smooth pictures, `(64, 48, 48, 1)` float32 of levels 0 to 255."""
    noise = np.random.default_rng(0).uniform(0, 255, (64, 48, 48))
    smooth = np.stack([ndimage.gaussian_filter(one, 2) for one in noise])
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


def test_sides_that_are_no_multiple_of_eight_keep_their_size(faces):
    assert jpeg_quantization(faces[:3, :44, :42], np.full(3, 0.2, np.float32)).shape == (3, 44, 42, 1)


def test_low_resolution_keeps_the_mean_and_loses_detail(faces):
    coarse = np.asarray(low_resolution(faces, 8))
    np.testing.assert_allclose(coarse.mean(), faces.mean(), rtol=0.02)
    assert coarse.std() < 0.8 * faces.std()


def test_noise_falls_on_its_share_and_is_at_most_as_strong_as_asked():
    gray = np.full((400, 48, 48, 1), 127.0, np.float32)
    noisy = np.asarray(RandomDegradation(0.5, noise=20.0, seed=3)(gray, training=True))
    deviations = noisy.std(axis=(1, 2, 3))
    assert 0.4 < (deviations > 0).mean() < 0.6
    assert 15 < deviations.max() < 21
    assert np.abs(noisy.mean() - 127) < 0.5


def test_about_its_share_of_the_faces_changes(faces):
    layer = RandomDegradation(0.5, blur=2.0, resolution=0.3, compression=2.0, seed=1)
    different = np.abs(np.asarray(layer(faces, training=True)) - faces).max(axis=(1, 2, 3)) > 0.01
    assert 0.3 < different.mean() < 0.7


def test_gamma_keeps_the_order_and_stays_within_its_exponents():
    ramp = np.tile(np.linspace(1, 255, 48, dtype=np.float32), (20, 48, 1))[..., None]
    curved = np.asarray(RandomGamma(1.5, seed=2)(ramp, training=True))
    assert np.all(np.diff(curved[:, 0, :, 0], axis=1) > 0)
    np.testing.assert_allclose(curved[:, :, -1], 255, atol=1e-3)
    exponents = np.log(curved[:, 0, 24, 0] / 255) / np.log(ramp[0, 0, 24, 0] / 255)
    assert exponents.min() >= 1 / 1.5 - 1e-3
    assert exponents.max() <= 1.5 + 1e-3
    assert exponents.std() > 0.1


def test_nothing_happens_outside_training(faces):
    for layer in (RandomDegradation(1.0, 30.0, 2.0, 0.3, 2.0), RandomGamma(2.0)):
        np.testing.assert_array_equal(np.asarray(layer(faces, training=False)), faces)


def test_the_robust_chain_keeps_range_and_size(faces):
    inputs = keras.Input((48, 48, 1), dtype="uint8")
    x = inputs
    for layer in augmentation_layers(ROBUST, 0):
        x = layer(x)
    out = np.asarray(keras.Model(inputs, x)(faces.astype(np.uint8), training=True))
    assert out.shape == (64, 44, 44, 1)
    assert out.min() >= 0
    assert out.max() <= 255


def test_does_nothing_outside_training(faces):
    for layer in augmentation_layers(Augmentation(), seed=0):
        np.testing.assert_array_equal(ops.convert_to_numpy(layer(faces, training=False)), faces)


def test_without_variation_it_is_the_centre_crop(faces):
    out = ops.convert_to_numpy(RandomAffineCrop(44, seed=0)(faces, training=True))
    np.testing.assert_allclose(out, faces[:, 2:46, 2:46], atol=1e-3)


def test_fixed_zoom_agrees_with_scipy(faces):
    out = ops.convert_to_numpy(RandomAffineCrop(40, scale=(1.25, 1.25), seed=0)(faces, training=True))
    center = np.full(2, 23.5)
    for k, face in enumerate(faces[..., 0]):
        expected = ndimage.affine_transform(face, np.eye(2) / 1.25, center - center / 1.25, order=1)[4:44, 4:44]
        np.testing.assert_allclose(out[k, ..., 0], expected, atol=0.05)


def test_flip_mirrors_about_half_of_the_faces(faces):
    many = np.repeat(faces[:1], 400, axis=0)
    out = ops.convert_to_numpy(RandomAffineCrop(48, flip=True, seed=3)(many, training=True))
    plain = np.abs(out - faces[:1]).max(axis=(1, 2, 3)) < 0.01
    mirrored = np.abs(out - faces[:1, :, ::-1]).max(axis=(1, 2, 3)) < 0.01
    assert (plain | mirrored).all()
    assert 140 < mirrored.sum() < 260


def test_rotation_stays_within_its_range(faces):
    """A bright dot on the vertical axis moves sideways by at most radius · sin(angle)."""
    dot = np.zeros((200, 48, 48, 1), "float32")
    dot[:, 7:10, 22:26] = 255
    out = ops.convert_to_numpy(RandomAffineCrop(48, rotation=20, seed=1)(dot, training=True))[..., 0]
    columns = (out.sum(axis=1) * np.arange(48)).sum(axis=1) / out.sum(axis=(1, 2))
    angles = np.degrees(np.arcsin((columns - 23.5) / 15.5))
    assert np.abs(angles).max() < 21
    assert angles.min() < -15 < 15 < angles.max()


def test_full_chain_keeps_range_and_size(faces):
    out = faces
    for layer in augmentation_layers(Augmentation(crop=40), seed=5):
        out = layer(out, training=True)
    out = ops.convert_to_numpy(out)
    assert out.shape == (64, 40, 40, 1)
    assert out.min() >= 0
    assert out.max() <= 255


def test_mirroring_alone_leaves_every_pixel_in_place(faces):
    (layer,) = augmentation_layers(MIRROR_ONLY, seed=0)
    out = ops.convert_to_numpy(layer(faces, training=True))
    for got, face in zip(out, faces, strict=True):
        assert np.allclose(got, face, atol=0.01) or np.allclose(got, face[:, ::-1], atol=0.01)
