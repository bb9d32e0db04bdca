"""Batch normalisation in one kernel instead of a dozen passes over the activations, while a network trains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import layers, ops


@contextmanager
def fused_batch_normalization(*networks: keras.Model) -> Iterator[None]:
    """Let every batch normalisation in `networks`, nested ones too, compute in TensorFlow's fused kernel meanwhile.

    Keras writes it out in elementary operations and widens bfloat16 to float32 first, so that on a CPU half of a
    step's time is normalisation. Weights, configuration and names in files stay those of Keras' own layer, and so do
    the numbers up to rounding. On other backends, whose compilers fuse by themselves, nothing changes.
    """
    swapped = [
        layer
        for network in networks
        for layer in network._flatten_layers()
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
    """Keras' layer, fused where there is a kernel for it: images with channels last, scaled and centred.

    It bears the parent's name because the class name is part of the paths in a file of weights.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return `inputs` normalised, in their dtype."""
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
            faces = ops.cast(ops.size(inputs) / inputs.shape[-1], variance.dtype)
            biased = variance * (faces - 1) / faces  # the kernel gives the unbiased one; Keras keeps the other
            for kept, seen in ((self.moving_mean, mean), (self.moving_variance, biased)):
                kept.assign(kept * self.momentum + seen * (1 - self.momentum))
        return outputs
