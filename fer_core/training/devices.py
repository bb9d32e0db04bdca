"""Train on all of a computer's devices at once: every device computes the gradients of a part of each batch.

Keras' `DataParallel` does it, on JAX. Weights are copied to every device, and so are all faces, before the first epoch.
A step then moves only row numbers and targets from the CPU. A batch is as large as on one device, so the results are
the same up to rounding: batch normalization uses the mean of the whole batch, and augmentation draws the same numbers.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from fer_core.types import FerError


def all_devices() -> keras.distribution.DataParallel | None:
    """Return the distribution over all accelerators of this computer, or all CPU devices; None if there is only one.

    Use it as `with distribution.scope():` around building and fitting a network.

    Raises:
        FerError: Keras runs on another backend than JAX.
    """
    backend = keras.backend.backend()
    if backend != "jax":
        raise FerError(
            "Training on several devices needs Keras on JAX. Install it (`pip install jax`, for NVIDIA GPUs "
            f"`pip install 'jax[cuda12]'`) and set KERAS_BACKEND=jax. Received: KERAS_BACKEND={backend}"
        )
    devices = keras.distribution.list_devices()
    return keras.distribution.DataParallel(devices=devices) if len(devices) > 1 else None


def devices_in_use() -> int:
    """Return over how many devices batches are divided now: 1 outside the scope of a distribution."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else int(distribution.num_model_replicas)


def check_batch_size(batch_size: int) -> None:
    """Check that a batch can be divided evenly over the devices in use.

    Raises:
        FerError: it cannot.
    """
    if batch_size % devices_in_use():
        raise FerError(
            f"Expected a batch size that can be divided by the number of devices, {devices_in_use()}. "
            f"Received: {batch_size}"
        )


class FacesOnDevice(keras.layers.Layer):
    """Return faces by their row numbers, from a copy of all faces on the device.

    The faces are not part of the weights that are saved.

    Args:
        faces: `(n, height, width, 1)` uint8.
    """

    def __init__(self, faces: NDArray[np.uint8]) -> None:
        super().__init__(dtype="float32", name="faces_on_device")
        self.faces = self.add_weight(faces.shape, dtype="uint8", initializer="zeros", trainable=False, name="faces")
        self.faces.assign(faces)

    def call(self, rows: Any) -> Any:
        """Return `(batch, height, width, 1)` uint8 of row numbers `(batch,)`."""
        return ops.take(self.faces, rows, axis=0)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Save nothing."""

    def load_own_variables(self, store: dict[str, Any]) -> None:
        """Load nothing."""
