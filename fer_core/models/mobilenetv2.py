"""The paper's frozen variant: ImageNet's MobileNetV2 as it is, global average pooling and a softmax head."""

from __future__ import annotations

import keras
from keras import layers

from fer_core.labels import NUM_CLASSES
from fer_core.models.backbone import mobilenetv2_backbone

BACKBONE_SIZE = 96
"""Side in pixels that the backbone sees: the smallest that its ImageNet weights come for, twice a FER2013 face."""


def mobilenetv2_frozen(weights_from: str, num_classes: int = NUM_CLASSES) -> keras.Model:
    """Build the network for gray faces, 48×48 as FER2013 has them.

    Enlarging, three equal channels and MobileNetV2's own `preprocess_input` (levels 0 to 255 to -1 to 1) are part of
    the network, so that it is fed as every other. The backbone is frozen: it does not train, and its batch
    normalisation keeps ImageNet's statistics. The head is one linear layer on the pooled features, so that its class
    activation map is exact.

    Args:
        weights_from: of the backbone, as `mobilenetv2_backbone` takes it.
        num_classes: outputs.

    Returns:
        A model from `(batch, height, width, 1)` gray levels 0 to 255 to `(batch, num_classes)` float32 probabilities.
        The layer `features` gives `(batch, 3, 3, 1280)`, `pool` their mean, and `head` is the linear one.

    Raises:
        FerError: the backbone's weights cannot be had.
    """
    backbone = mobilenetv2_backbone(BACKBONE_SIZE, weights_from)
    backbone.trainable = False
    inputs = keras.Input((None, None, 1), name="face")
    x = layers.Resizing(BACKBONE_SIZE, BACKBONE_SIZE, interpolation="bilinear", name="enlarge")(inputs)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocess")(x)
    x = layers.Concatenate(name="three_channels")([x, x, x])
    x = layers.Identity(name="features")(backbone(x, training=False))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    outputs = layers.Dense(num_classes, activation="softmax", dtype="float32", name="head")(x)
    return keras.Model(inputs, outputs, name="mobilenetv2_frozen")
