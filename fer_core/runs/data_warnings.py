"""What to know about faces before learning from them, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_core.data import FerDataset
from fer_core.labels import EXPRESSIONS, NUM_CLASSES

FEW: Final = 20
"""Pictures below which a class is hardly learnt."""

SAME_LIGHT: Final = 3.0
"""Gray levels: a class whose faces' mean and spread vary less than this was taken in one light."""

TOLD_BY_LIGHT: Final = 0.9
"""Share of faces, averaged over classes, that brightness alone may get right before it is said."""

_ENOUGH: Final = 5  # faces of a class from which its light can be judged


def count_warnings(faces: FerDataset) -> list[str]:
    """Return a sentence each for missing and for thin classes."""
    counts = np.bincount(faces.labels, minlength=NUM_CLASSES)
    warnings = []
    missing = [name for name, count in zip(EXPRESSIONS, counts, strict=True) if count == 0]
    if missing:
        warnings.append(f"There are no pictures of {_listed(missing)}: the model cannot learn what it looks like.")
    thin = [f"{name} ({count})" for name, count in zip(EXPRESSIONS, counts, strict=True) if 0 < count < FEW]
    if thin:
        warnings.append(f"Too few pictures of {_listed(thin)}: expect at least {FEW} of each, better hundreds.")
    return warnings


def light_warnings(faces: FerDataset) -> list[str]:
    """Return a sentence if classes were each taken in one light, and one if light alone tells them apart."""
    brightness = faces.images.mean(axis=(1, 2))
    contrast = faces.images.std(axis=(1, 2))
    members = {label: faces.labels == label for label in np.unique(faces.labels).tolist()}
    judged = {label: mask for label, mask in members.items() if mask.sum() >= _ENOUGH}
    warnings = []
    uniform = [
        EXPRESSIONS[label]
        for label, mask in judged.items()
        if max(brightness[mask].std(), contrast[mask].std()) < SAME_LIGHT
    ]
    if uniform:
        warnings.append(
            f"All pictures of {_listed(uniform)} were taken in nearly the same light: the model may fail in any other. "
            f"Take some elsewhere, or with the light from another side."
        )
    if len(judged) >= 2 and (right := _told_by_brightness(brightness, judged)) >= TOLD_BY_LIGHT:
        warnings.append(
            f"Brightness alone tells the classes apart ({right:.0%} right): the model may learn the light instead of "
            f"the face. Take pictures of every expression in the same places."
        )
    return warnings


def _told_by_brightness(brightness: NDArray[np.float64], members: dict[int, NDArray[np.bool_]]) -> float:
    """Return the mean recall of saying the class whose mean brightness is nearest."""
    means = np.array([brightness[mask].mean() for mask in members.values()])
    recalls = [
        (np.abs(brightness[mask][:, None] - means).argmin(axis=1) == place).mean()
        for place, mask in enumerate(members.values())
    ]
    return float(np.mean(recalls))


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
