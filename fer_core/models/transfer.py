"""The paper's networks: a pretrained backbone, global average pooling and a softmax head."""

from __future__ import annotations

import keras
from keras import layers

from fer_core.labels import NUM_CLASSES
from fer_core.models.backbone import build_backbone, preprocessing
from fer_core.models.spec import ALL_LAYERS, ModelSpec
from fer_core.types import FerError


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
    scale, offset = preprocessing(spec.backbone)
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
        layer.trainable = any(layer is one for one in holding[-open_layers:]) or (
            after and normalization and isinstance(layer, kept)
        )


def backbone_of(network: keras.Model) -> keras.Model:
    """Return the backbone in a network from `transfer_network`."""
    return next(layer for layer in network.layers if isinstance(layer, keras.Model))
