"""A stream written down: one row a face and frame, as CSV."""

from __future__ import annotations

import csv
import io
from typing import Final

from fer_core.inference.stream import FrameResult
from fer_core.labels import EXPRESSIONS

COLUMNS: Final = ("seconds", "face", "x", "y", "width", "height", "expression", *EXPRESSIONS, "model")
MAX_ROWS: Final = 100_000
"""Nearly an hour of one face at 30 frames a second, 12 MB; then the recording is full."""


class Recording:
    """Rows of a running stream, up to a limit.

    Args:
        start: stream time in seconds that counts as 0.
        max_rows: how many rows to keep.

    Attributes:
        rows: how many there are.
    """

    def __init__(self, start: float, max_rows: int = MAX_ROWS) -> None:
        self.rows = 0
        self._start, self._max_rows = start, max_rows
        self._text = io.StringIO()
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    @property
    def full(self) -> bool:
        """Whether later rows are not kept."""
        return self.rows >= self._max_rows

    def add(self, result: FrameResult, model: str) -> None:
        """Write down the faces that were seen in this very frame, with their smoothed probabilities."""
        for face in result.faces:
            if face.seen == result.seconds and not self.full:
                entry = face.result.as_dict()
                seconds = round(result.seconds - self._start, 3)
                values = entry["probabilities"].values()
                self._writer.writerow([seconds, face.number, *entry["box"], entry["expression"], *values, model])
                self.rows += 1

    def as_csv(self) -> str:
        """Return the table: seconds, number of the face, its box in pixels, expression, seven probabilities, model."""
        return self._text.getvalue()
