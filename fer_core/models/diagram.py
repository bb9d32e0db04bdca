"""What a network is made of, read from its Keras layers, for a diagram of it (figure 3 of the paper)."""

from __future__ import annotations

from itertools import count
from typing import Any, Final

import keras
from keras import layers

WORDS: Final = {
    "face": "Gray face",
    "noise": "Gaussian noise",
    "input_normalization": "Batch norm",
    "enlarge": "Resized",
    "preprocess": "Three channels, scaled",
    "pool": "Global average pooling",
    "head_normalization": "Batch norm",
    "dropout": "Dropout",
    "head": "Linear layer, softmax",
}
"""What the layers around a backbone are called in a diagram, by the name of the layer."""


def network_blocks(network: keras.Model, side: int = 48) -> list[dict[str, Any]]:
    """Return the blocks of a network from `build_network`, from the input to the head, as JSON types.

    Layers that follow each other at one resolution are a block, and it is divided where the layers that are trained
    begin. A batch norm does not count as a layer; its weights do.

    Args:
        side: of the input in pixels.

    Returns:
        For each block `name`, `shape` of its output ("24 × 24 × 64": rows, columns, channels), the number of `layers`
        with weights, of `weights`, and its `state`: `frozen`, `trained`, `added` (trained, and not in the backbone) or
        `fixed` (without weights).
    """
    outer = [layer for layer in network.layers if not isinstance(layer, keras.Model)]
    every = keras.Model(network.input, [layer.output for layer in outer]).compute_output_shape((1, side, side, 1))
    shapes = dict(zip((layer.name for layer in outer), every, strict=True))
    nested = len(outer) < len(network.layers)
    blocks: list[dict[str, Any]] = []
    for layer in network.layers:
        shape = shapes.get(layer.name, ())
        if isinstance(layer, keras.Model):
            for inner in layer.layers:
                _add(blocks, inner, inner.output.shape)
        elif layer.name in WORDS:
            state = ("added" if nested else "trained") if layer.weights else "fixed"
            blocks.append(_block(WORDS[layer.name], layer, shape, state=state))
        elif not nested:
            _add(blocks, layer, shape)
    numbers = count(1)
    return [
        {key: block[key] for key in ("layers", "weights", "state")}
        | {"name": block["name"] or f"Block {next(numbers)}", "shape": " × ".join(map(str, block["shape"][1:]))}
        for block in blocks
    ]


def _add(blocks: list[dict[str, Any]], layer: keras.Layer, shape: tuple[int | None, ...]) -> None:
    """Add a layer of the backbone to the last block, or begin another."""
    last = blocks[-1] if blocks and not blocks[-1]["name"] else None
    if not layer.weights:
        if last and not isinstance(layer, (layers.ZeroPadding2D, layers.InputLayer)):
            last["shape"] = shape
        return
    norm = isinstance(layer, layers.BatchNormalization)
    state = last["state"] if norm and last else "trained" if layer.trainable_weights else "frozen"
    if not last or (last["at"], last["state"]) != (shape[1:3], state):
        blocks.append(_block("", layer, shape, state=state) | {"at": shape[1:3]})
        return
    last["shape"] = shape
    last["layers"] += not norm
    last["weights"] += layer.count_params()


def _block(name: str, layer: keras.Layer, shape: tuple[int | None, ...], *, state: str) -> dict[str, Any]:
    counted = bool(layer.weights) and not isinstance(layer, layers.BatchNormalization)
    return {"name": name, "shape": shape, "layers": int(counted), "weights": layer.count_params(), "state": state}
