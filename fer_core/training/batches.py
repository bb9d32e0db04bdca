"""Faces in batches, in a new order every epoch."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


class Batches(keras.utils.PyDataset):
    """Feeds `fit` from arrays.

    Keras would take the arrays themselves. On TensorFlow it then lets `tf.data` tune itself, and the end of an epoch
    waits until that has slept out: half a minute on average after epochs of a minute or more, with idle cores. For its
    own `PyDataset` Keras switches the tuning off.

    Args:
        x: faces or features, `(n, …)`.
        y: targets, `(n, …)`, or several under their names.
        batch_size: rows a batch; the last one may be smaller.
        seed: of the order; None keeps it as it is, for watching.
        sample_weight: `(n,)`, how much each row counts.
    """

    def __init__(
        self,
        x: NDArray[Any],
        y: NDArray[Any] | dict[str, NDArray[Any]],
        batch_size: int,
        seed: int | None = None,
        sample_weight: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__()
        self._arrays = (x, y) if sample_weight is None else (x, y, sample_weight)
        self._batch_size, self._order = batch_size, np.arange(len(x))
        self._random = None if seed is None else np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self._order) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        return tuple(
            {name: values[rows] for name, values in part.items()} if isinstance(part, dict) else part[rows]
            for part in self._arrays
        )

    def on_epoch_end(self) -> None:
        """Draw the next epoch's order."""
        if self._random is not None:
            self._order = self._random.permutation(len(self._order))
