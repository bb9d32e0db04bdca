"""The default network: a small residual, VGG-style CNN that two CPU cores can train from scratch."""

from __future__ import annotations

import keras
from keras import layers

from fer_core.labels import NUM_CLASSES
from fer_core.models.network_input import MINUS_ONE_TO_ONE


def compact_cnn(
    widths: tuple[int, ...] = (32, 64, 128, 192), dropout: float = 0.3, num_classes: int = NUM_CLASSES
) -> keras.Model:
    """Build the network for gray faces of any size from about 40 pixels on.

    It starts with a 5×5 convolution of stride 2, which costs a third of a stem at full resolution on a CPU. Then come
    a convolution and a residual block at half resolution, and two residual blocks each at a quarter and an eighth
    (basic blocks of He et al. 2016). The head is global average pooling and a linear layer, so the class activation
    map is exact (Zhou et al. 2016).

    Args:
        widths: channels of the stem and of the three stages.
        dropout: rate between pooling and head, in training.
        num_classes: number of outputs.

    Returns:
        A model from `(batch, height, width, 1)` gray levels 0 to 255 to `(batch, num_classes)` float32 probabilities.
        The layer `features` returns `(batch, height / 8, width / 8, widths[3])`; `head` is the linear layer.
    """
    stem, half, quarter, eighth = widths
    factor, offset = MINUS_ONE_TO_ONE
    inputs = keras.Input((None, None, 1), name="face")
    x = layers.Rescaling(factor, offset=offset, name="scale")(inputs)
    x = _conv(x, stem, 5, strides=2, name="stem")
    x = _conv(x, half, 3, name="half_conv")
    x = _residual(x, half, "half_block")
    x = layers.MaxPooling2D(2, padding="same", name="pool_quarter")(x)
    x = _residual(x, quarter, "quarter_block1")
    x = _residual(x, quarter, "quarter_block2")
    x = layers.MaxPooling2D(2, padding="same", name="pool_eighth")(x)
    x = _residual(x, eighth, "eighth_block1")
    x = _residual(x, eighth, "features")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(num_classes, activation="softmax", dtype="float32", name="head")(x)
    return keras.Model(inputs, outputs, name="compact_cnn")


def _conv(x: keras.KerasTensor, filters: int, size: int, name: str, strides: int = 1) -> keras.KerasTensor:
    """Convolution, batch normalisation, ReLU."""
    x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _residual(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Basic residual block, with a 1×1 projection on the shortcut if the number of channels changes."""
    shortcut = x
    if x.shape[-1] != filters:
        shortcut = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project")(x)
        shortcut = layers.BatchNormalization(name=f"{name}_project_bn")(shortcut)
    x = _conv(x, filters, 3, name=f"{name}_1")
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(x)
    x = layers.BatchNormalization(name=f"{name}_2_bn")(x)
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.ReLU(name=name)(x)
