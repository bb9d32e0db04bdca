"""The last minute of a stream, thinned out for a chart."""

from __future__ import annotations

from collections import deque
from typing import Final

import pandas as pd

from fer_core.inference.stream import FrameResult
from fer_core.labels import EXPRESSIONS

SECONDS: Final = 60.0
STEP: Final = 0.2  # seconds between two moments that are kept
MAX_FACES: Final = 16  # a moment; of more, the first numbers


class Timeline:
    """The faces' smoothed probabilities during the last minute, five times a second."""

    def __init__(self) -> None:
        self._moments: deque[FrameResult] = deque(maxlen=round(SECONDS / STEP))

    def add(self, result: FrameResult) -> None:
        """Take a frame's result; of most frames nothing is kept."""
        if not self._moments or result.seconds // STEP != self._moments[-1].seconds // STEP:
            self._moments.append(result)

    def table(self, now: float) -> pd.DataFrame:
        """Return one row a face and moment.

        Args:
            now: stream time that counts as 0.

        Returns:
            Columns `seconds` (from -60 to 0), `face` (its number) and the seven expressions.
        """
        rows = [
            [moment.seconds - now, face.number, *map(float, face.result.probabilities)]
            for moment in self._moments
            if now - moment.seconds <= SECONDS
            for face in moment.faces[:MAX_FACES]
        ]
        return pd.DataFrame(rows, columns=["seconds", "face", *EXPRESSIONS])
