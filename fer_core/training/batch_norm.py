"""Batch normalization in TensorFlow's fused kernel while a network trains on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import layers, ops


@contextmanager
def fused_batch_norm(*networks: keras.Model) -> Iterator[None]:
    """Compute every batch normalization in `networks`, including nested ones, in the fused kernel inside the block.

    Keras computes it with elementary operations, in float32 even if the activations are bfloat16. On a CPU this takes
    half of a training step. Weights, configuration, file format and results, up to rounding, stay those of Keras'
    layer. Other backends fuse these operations when they compile, so nothing changes for them.
    """
    swapped = [
        layer
        for network in networks
        for layer in network._flatten_layers()  # no public method returns nested layers inside layers
        if type(layer) is layers.BatchNormalization and keras.backend.backend() == "tensorflow"
    ]
    for layer in swapped:
        object.__setattr__(layer, "__class__", BatchNormalization)
    try:
        yield
    finally:
        for layer in swapped:
            object.__setattr__(layer, "__class__", layers.BatchNormalization)


class BatchNormalization(layers.BatchNormalization):
    """Keras' layer in one kernel, for images with channels last that are scaled and centered.

    It has the name of its parent because class names are part of the paths in a weights file.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if len(inputs.shape) != 4 or self.axis not in {-1, 3} or not (self.scale and self.center) or self.renorm:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        learns = bool(training and self.trainable)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=ops.convert_to_tensor(self.gamma),
            offset=ops.convert_to_tensor(self.beta),
            mean=ops.convert_to_tensor(self.moving_mean),
            variance=ops.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            is_training=learns,
        )
        if learns:
            count = ops.cast(ops.size(inputs) / inputs.shape[-1], variance.dtype)
            biased = variance * (count - 1) / count  # the kernel returns the unbiased one, Keras keeps the biased one
            for moving, batch in ((self.moving_mean, mean), (self.moving_variance, biased)):
                moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        return outputs
