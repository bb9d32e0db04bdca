"""The class activation map of a network, which is exact for global average pooling and a linear head."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray


def with_activation_map(network: keras.Model) -> keras.Model:
    """Return the network with its class activation map as a second output (Zhou et al. 2016, CVPR, eq. 2).

    The logit of a class is the mean of (features · head weights + bias) over all positions, so this product before the
    mean is the evidence for the class at each position. No gradient is needed. A batch norm between pooling and head
    is affine at inference and is folded into the product.

    Args:
        network: has a layer `features` with output `(batch, rows, columns, channels)`, whose mean goes to the linear
            layer `head`, optionally through a batch norm `head_normalization`.

    Returns:
        A model with the float32 outputs `probabilities` `(batch, 7)` and `activation` `(batch, rows, columns, 7)`; the
        mean of `activation` over rows and columns is the logit.
    """
    head = network.get_layer("head")
    features = network.get_layer("features").output
    places = layers.Conv2D(head.units, 1, name="activation", dtype="float32")
    activation = places(features)
    kernel, bias = _folded_head(network)
    places.set_weights([kernel[None, None], bias])
    probabilities = layers.Identity(name="probabilities", dtype="float32")(network.output)
    return keras.Model(network.input, {"probabilities": probabilities, "activation": activation})


def _folded_head(network: keras.Model) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    kernel, bias = network.get_layer("head").get_weights()
    names = {layer.name for layer in network.layers}
    if "head_normalization" not in names:
        return kernel, bias
    normalization = network.get_layer("head_normalization")
    gamma, beta, mean, variance = normalization.get_weights()
    factor = gamma / np.sqrt(variance + normalization.epsilon)
    return kernel * factor[:, None], bias + (beta - mean * factor) @ kernel
