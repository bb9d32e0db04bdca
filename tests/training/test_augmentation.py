"""Augmentation against SciPy's resampling and by its invariants."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops
from scipy import ndimage

from fer_core.training.augmentation import MIRROR_ONLY, Augmentation
from fer_core.training.augmentation_layers import RandomAffineCrop, augmentation_layers
from fer_core.types import FerError


@pytest.fixture
def faces():
    rng = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(rng.random((6, 48, 48)), (0, 3, 3))
    return (255 * (smooth - smooth.min()) / np.ptp(smooth)).astype("float32")[..., None]


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
    assert out.shape == (6, 40, 40, 1)
    assert out.min() >= 0
    assert out.max() <= 255


def test_layer_survives_serialisation():
    layer = RandomAffineCrop(44, 15, (0.9, 1.1), 2, True, seed=1)
    assert RandomAffineCrop.from_config(layer.get_config()).get_config() == layer.get_config()


def test_strength_scales_everything():
    assert Augmentation.of_strength(1, crop=44) == Augmentation()
    assert Augmentation.of_strength(0) == MIRROR_ONLY
    assert Augmentation.of_strength(0).only_mirrors
    assert not Augmentation.of_strength(0.1).only_mirrors
    assert Augmentation.of_strength(0.5).rotation == Augmentation().rotation / 2
    for wrong in (-0.1, 2.1, float("nan")):
        with pytest.raises(FerError, match="from 0 to 2"):
            Augmentation.of_strength(wrong)


def test_mirroring_alone_leaves_every_pixel_in_place(faces):
    (layer,) = augmentation_layers(MIRROR_ONLY, seed=0)
    out = ops.convert_to_numpy(layer(faces, training=True))
    for got, face in zip(out, faces, strict=True):
        assert np.allclose(got, face, atol=0.01) or np.allclose(got, face[:, ::-1], atol=0.01)


def test_impossible_settings_are_refused():
    for settings in ({"crop": 60}, {"crop": 4}, {"scale": (1.2, 0.8)}, {"scale": (0, 1)}):
        with pytest.raises(FerError, match="Expected a crop"):
            Augmentation(**settings)
