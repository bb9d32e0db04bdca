"""The networks: a small CNN of our own, backbones with a new head as in the paper, and their class activation maps."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from fer_core.models.backbones import MINUS_ONE_TO_ONE, backbone_named, build_backbone
from fer_core.models.spec import ALL_LAYERS, ModelSpec
from fer_core.types import FerError

_GRAY_MEAN, _GRAY_DEVIATION = 0.508, 0.255  # of the pixels of FER2013's Training faces, as shares of 255


def compact_cnn(spec: ModelSpec) -> keras.Model:
    """Build the default network, a small residual, VGG-style CNN that two CPU cores can train from scratch.

    It takes gray faces of any size from about 40 pixels on, and starts with a 5×5 convolution of stride 2, which costs
    a third of a stem at full resolution on a CPU. Then come a convolution and a residual block at half resolution, and
    two residual blocks each at a quarter and an eighth (basic blocks of He et al. 2016); the spec's `widths` are their
    channels. The head is global average pooling and a linear layer, so the class activation map is exact (Zhou et al.
    2016). The layer `features` returns `(batch, height / 8, width / 8, widths[3])`; `head` is the linear layer.
    """
    stem, half, quarter, eighth = spec.widths
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
    x = layers.Dropout(spec.dropout, name="dropout")(x)
    outputs = layers.Dense(len(spec.classes), activation="softmax", dtype="float32", name="head")(x)
    return keras.Model(inputs, outputs, name="compact_cnn")


def _conv(x: keras.KerasTensor, filters: int, size: int, name: str, strides: int = 1) -> keras.KerasTensor:
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


def transfer_network(spec: ModelSpec) -> keras.Model:
    """Build a backbone with a new head for gray faces, 48×48 as FER2013 has them.

    Noise, a batch norm before the backbone, enlarging, three equal channels and the backbone's `preprocess_input` are
    part of the network, so its input is that of all networks. The head is a linear layer on the pooled features, after
    a batch norm if the spec has one there, so the class activation map is exact. The layer `features` returns
    `(batch, rows, columns, channels)`, `pool` their mean, and `head` is the linear layer.

    Raises:
        FerError: the backbone is unknown, its weights are not available, or it has fewer layers with weights.
    """
    weights = spec.weights_from if spec.weights_from in {"imagenet", "vggface2"} else "random"
    backbone = build_backbone(spec.backbone, spec.backbone_size, weights, spec.cut_after)
    _open(backbone, spec)
    inputs = keras.Input((None, None, 1), name="face")
    x = backbone_input(inputs, spec)
    x = layers.Identity(name="features")(backbone(x))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    if spec.batch_normalization == "after pooling":
        x = layers.BatchNormalization(name="head_normalization")(x)
    if spec.dropout:
        x = layers.Dropout(spec.dropout, name="dropout")(x)
    outputs = layers.Dense(len(spec.classes), activation="softmax", dtype="float32", name="head")(x)
    return keras.Model(inputs, outputs, name=spec.name)


def backbone_input(faces: keras.KerasTensor, spec: ModelSpec) -> keras.KerasTensor:
    """Convert gray faces `(batch, height, width, 1)` to the backbone's input.

    Gaussian noise is added in training if specified, after or before a batch norm if there is one here. The batch norm
    starts with the mean and the standard deviation of FER2013's gray levels as its offset and factor, because the
    backbone expects gray levels.
    """
    x = faces
    if spec.noise or spec.normalizes_input:
        # the noise layer expects values from 0 to 1; each face gets its own noise
        noise = layers.GaussianNoise(spec.noise, name="noise")
        factor, offset = (keras.initializers.Constant(value) for value in (_GRAY_DEVIATION, _GRAY_MEAN))
        norm = layers.BatchNormalization(
            momentum=0.9, gamma_initializer=factor, beta_initializer=offset, name="input_normalization"
        )
        x = layers.Rescaling(1 / 255, name="to_shares")(x)
        for layer in {"before noise": (norm, noise), "after noise": (noise, norm)}.get(
            spec.batch_normalization, (noise,)
        ):
            x = layer(x)
        x = layers.Rescaling(255.0, name="to_levels")(x)
    side = spec.backbone_size
    x = layers.Resizing(side, side, interpolation="bilinear", name="enlarge")(x)
    x = layers.Concatenate(name="three_channels")([x, x, x])
    scale, offset = backbone_named(spec.backbone).scale
    return layers.Rescaling(scale, offset=offset, name="preprocess")(x)


def _open(backbone: keras.Model, spec: ModelSpec) -> None:
    """Make the last `open_layers` layers with weights trainable.

    Batch norm layers do not count. Unless all layers are trained, or the spec says otherwise, they stay unchanged, as
    Keras' guide to transfer learning recommends: their averages adapt too slowly for a short training.
    """
    backbone.trainable = spec.open_layers != 0
    if spec.open_layers in (0, ALL_LAYERS):
        return
    norm = layers.BatchNormalization
    weighted = [layer for layer in backbone.layers if layer.trainable_weights and not isinstance(layer, norm)]
    if spec.open_layers > len(weighted):
        raise FerError(
            f"{backbone.name} has {len(weighted)} layers with weights to train. Expected at most that many open "
            f"layers, or all. Received: {spec.open_layers}"
        )
    opened = weighted[-spec.open_layers :]
    after = False
    for layer in backbone.layers:
        after |= layer is opened[0]
        layer.trainable = any(layer is other for other in opened) or (
            after and spec.open_normalization and isinstance(layer, norm)
        )


def backbone_of(network: keras.Model) -> keras.Model:
    """Return the backbone in a network from `transfer_network`."""
    return next(layer for layer in network.layers if isinstance(layer, keras.Model))


def outputs_of(network: keras.Model, faces: NDArray[np.uint8], batch_size: int = 64) -> NDArray[np.float32]:
    """Return a network's outputs on faces `(n, height, width)`, in parts, to limit the memory for float32 copies."""
    parts = (faces[start : start + 4096, ..., None].astype(np.float32) for start in range(0, len(faces), 4096))
    return np.concatenate([network.predict(part, batch_size=batch_size, verbose=0) for part in parts])


def with_activation_map(network: keras.Model) -> keras.Model:
    """Return the network with its class activation map as a second output (Zhou et al. 2016, CVPR, eq. 2).

    The logit of a class is the mean of (features · head weights + bias) over all positions, so this product before the
    mean is the evidence for the class at each position. No gradient is needed. A batch norm between pooling and head
    is affine at inference and is folded into the product.

    Args:
        network: from `build_network`.

    Returns:
        A model with the float32 outputs `probabilities` `(batch, classes)` and `activation` `(batch, rows, columns,
        classes)`; the mean of `activation` over rows and columns is the logit.
    """
    head = network.get_layer("head")
    kernel, bias = head.get_weights()
    if "head_normalization" in {layer.name for layer in network.layers}:
        normalization = network.get_layer("head_normalization")
        gamma, beta, mean, variance = normalization.get_weights()
        factor = gamma / np.sqrt(variance + normalization.epsilon)
        kernel, bias = kernel * factor[:, None], bias + (beta - mean * factor) @ kernel
    positions = layers.Conv2D(head.units, 1, name="activation", dtype="float32")
    activation = positions(network.get_layer("features").output)
    positions.set_weights([kernel[None, None], bias])
    probabilities = layers.Identity(name="probabilities", dtype="float32")(network.output)
    return keras.Model(network.input, {"probabilities": probabilities, "activation": activation})
