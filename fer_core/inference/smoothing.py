"""Calming what a model says of a moving face: an exponential mean over time, whatever the frame rate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]


class Smoother:
    """The exponentially weighted mean of values that arrive at any times.

    A value that arrives `gap` seconds after the one before gets the weight `1 - exp(-gap / time_constant)`, so that
    after one time constant an old value counts 37 %, at 10 frames a second as at 60.
    """

    def __init__(self) -> None:
        self._means: list[Values] = []
        self._seconds = 0.0

    def add(self, values: list[Values], seconds: float, time_constant: float) -> list[Values]:
        """Take new values and return their means until now.

        Args:
            values: arrays whose shapes stay the same.
            seconds: when, never earlier than before.
            time_constant: in seconds; may differ from call to call. 0 returns `values`.
        """
        if not self._means or time_constant <= 0:
            self._means = list(values)
        else:
            weight = np.float32(-math.expm1(-(seconds - self._seconds) / time_constant))
            self._means = [mean + weight * (value - mean) for mean, value in zip(self._means, values, strict=True)]
        self._seconds = seconds
        return self._means
