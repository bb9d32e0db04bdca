"""The networks: a small CNN of our own, backbones with a new head as in the paper, and their class activation maps."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from fer_core.labels import NUM_CLASSES
from fer_core.models.backbones import MINUS_ONE_TO_ONE, backbone_named, build_backbone
from fer_core.models.spec import ALL_LAYERS, ModelSpec
from fer_core.types import FerError


def compact_cnn(
    widths: tuple[int, ...] = (32, 64, 128, 192), dropout: float = 0.3, num_classes: int = NUM_CLASSES
) -> keras.Model:
    """Build the default network, a small residual, VGG-style CNN that two CPU cores can train from scratch.

    It takes gray faces of any size from about 40 pixels on, and starts with a 5×5 convolution of stride 2, which costs
    a third of a stem at full resolution on a CPU. Then come a convolution and a residual block at half resolution, and
    two residual blocks each at a quarter and an eighth (basic blocks of He et al. 2016). The head is global average
    pooling and a linear layer, so the class activation map is exact (Zhou et al. 2016).

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


def transfer_network(spec: ModelSpec, num_classes: int = NUM_CLASSES) -> keras.Model:
    """Build the network for gray faces, 48×48 as FER2013 has them.

    Noise, enlarging, three equal channels and the backbone's `preprocess_input` are part of the network, so its input
    is that of all networks. Only the last `open_layers` layers with weights of the backbone are trained. Unless all
    are, or the spec says otherwise, its batch norm layers stay unchanged, as Keras' guide to transfer learning
    recommends: their averages adapt too slowly for a short training. The head is a linear layer on the pooled features,
    after a batch norm if the spec has one, so the class activation map is exact.

    Args:
        spec: describes the network; its weights are random unless `weights_from` is `imagenet` or `vggface2`.
        num_classes: number of outputs.

    Returns:
        A model from `(batch, height, width, 1)` gray levels 0 to 255 to `(batch, num_classes)` float32 probabilities.
        The layer `features` returns `(batch, rows, columns, channels)`, `pool` their mean, and `head` is the linear
        layer.

    Raises:
        FerError: the backbone is unknown, its weights are not available, or it has fewer layers with weights.
    """
    weights = spec.weights_from if spec.weights_from in {"imagenet", "vggface2"} else "random"
    backbone = build_backbone(spec.backbone, spec.backbone_size, weights, spec.cut_after)
    open_backbone(backbone, spec.open_layers, normalization=spec.open_normalization)
    inputs = keras.Input((None, None, 1), name="face")
    x = backbone_input(inputs, spec)
    x = layers.Identity(name="features")(backbone(x))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    if spec.batch_normalization:
        x = layers.BatchNormalization(name="head_normalization")(x)
    if spec.dropout:
        x = layers.Dropout(spec.dropout, name="dropout")(x)
    outputs = layers.Dense(num_classes, activation="softmax", dtype="float32", name="head")(x)
    return keras.Model(inputs, outputs, name=spec.name)


def backbone_input(faces: keras.KerasTensor, spec: ModelSpec) -> keras.KerasTensor:
    """Convert gray faces `(batch, height, width, 1)` to the backbone's input, with noise in training if specified."""
    x = faces
    if spec.noise:  # the layer expects values from 0 to 1
        x = layers.Rescaling(1 / 255, name="to_shares")(x)
        x = layers.GaussianNoise(spec.noise, name="noise")(x)
        x = layers.Rescaling(255.0, name="to_levels")(x)
    side = spec.backbone_size
    x = layers.Resizing(side, side, interpolation="bilinear", name="enlarge")(x)
    x = layers.Concatenate(name="three_channels")([x, x, x])
    scale, offset = backbone_named(spec.backbone).scale
    return layers.Rescaling(scale, offset=offset, name="preprocess")(x)


def open_backbone(backbone: keras.Model, open_layers: int, normalization: bool = False) -> None:
    """Make the last layers of a backbone with weights trainable.

    Batch norm layers do not count and stay as they are, unless all layers are trained.

    Args:
        backbone: from `build_backbone`.
        open_layers: as in `ModelSpec`.
        normalization: also train the batch norm layers after the first open layer.

    Raises:
        FerError: the backbone has fewer layers with weights.
    """
    backbone.trainable = open_layers != 0
    if open_layers in (0, ALL_LAYERS):
        return
    kept = layers.BatchNormalization
    holding = [layer for layer in backbone.layers if layer.trainable_weights and not isinstance(layer, kept)]
    if open_layers > len(holding):
        raise FerError(
            f"{backbone.name} has {len(holding)} layers with weights to train. Expected at most that many open layers, "
            f"or all. Received: {open_layers}"
        )
    after = False
    for layer in backbone.layers:
        after |= layer is holding[-open_layers]
        layer.trainable = any(layer is opened for opened in holding[-open_layers:]) or (
            after and normalization and isinstance(layer, kept)
        )


def backbone_of(network: keras.Model) -> keras.Model:
    """Return the backbone in a network from `transfer_network`."""
    return next(layer for layer in network.layers if isinstance(layer, keras.Model))


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
