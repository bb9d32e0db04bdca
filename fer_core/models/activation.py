"""The exact class activation map of a network that ends in global average pooling and a linear head."""

from __future__ import annotations

import keras
from keras import layers


def with_activation_map(network: keras.Model) -> keras.Model:
    """Return the network with its class activation map as a second output (Zhou et al. 2016, CVPR, eq. 2).

    The logit of a class is the mean over all places of (features · head weights + bias), so that same product before
    the mean says how much each place speaks for the class. No gradient is needed.

    Args:
        network: has a layer `features` of `(batch, rows, columns, channels)`, pooled by its mean into the linear
            layer `head`.

    Returns:
        A model whose outputs are named `probabilities` `(batch, 7)` and `activation` `(batch, rows, columns, 7)`, in
        float32; the mean of `activation` over rows and columns is the logit.
    """
    head = network.get_layer("head")
    features = network.get_layer("features").output
    places = layers.Conv2D(head.units, 1, name="activation", dtype="float32")
    activation = places(features)
    kernel, bias = head.get_weights()
    places.set_weights([kernel[None, None], bias])
    probabilities = layers.Identity(name="probabilities", dtype="float32")(network.output)
    return keras.Model(network.input, {"probabilities": probabilities, "activation": activation})
