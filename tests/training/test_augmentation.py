"""The settings of the augmentation."""

from __future__ import annotations

import pytest

from fer_core.training.augmentation import MIRROR_ONLY, Augmentation
from fer_core.types import FerError


def test_strength_scales_everything():
    assert Augmentation.of_strength(1, crop=44) == Augmentation()
    assert Augmentation.of_strength(0) == MIRROR_ONLY
    assert Augmentation.of_strength(0).only_mirrors
    assert not Augmentation.of_strength(0.1).only_mirrors
    assert Augmentation.of_strength(0.5).rotation == Augmentation().rotation / 2
    for wrong in (-0.1, 2.1, float("nan")):
        with pytest.raises(FerError, match="from 0 to 2"):
            Augmentation.of_strength(wrong)


def test_impossible_settings_are_refused():
    for settings in ({"crop": 60}, {"crop": 4}, {"scale": (1.2, 0.8)}, {"scale": (0, 1)}):
        with pytest.raises(FerError, match="Expected a crop"):
            Augmentation(**settings)


@pytest.mark.parametrize(
    "wrong", [{"gamma": 0.9}, {"resolution": 0.0}, {"noise": -1.0}, {"degraded": 1.5}, {"cover": -0.1}]
)
def test_impossible_strengths_are_refused(wrong):
    with pytest.raises(FerError, match="Expected"):
        Augmentation(**wrong)
