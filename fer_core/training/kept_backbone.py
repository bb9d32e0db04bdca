"""A backbone pretrained on UTKFace, read back out of a stored model that left it as it was."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_core.models import ModelSpec
from fer_core.store import StoredModel, list_models
from fer_core.types import FerError

if TYPE_CHECKING:
    import keras

READABLE: Final = ("VGG16", "VGG19")
"""Backbones without batch normalisation: into the weights of others the converter folds it, and they say no longer what
was trained."""


def kept_backbone(spec: ModelSpec) -> StoredModel | None:
    """Return the stored model whose file holds the pretrained backbone that `spec` starts from; None without one."""
    if spec.backbone not in READABLE:
        return None
    for model in list_models(servable=True)[0]:
        if (other := model.card.spec) is None:
            continue
        wanted = ("utkface", spec.backbone, spec.backbone_size)
        if other.frozen and (other.weights_from, other.backbone, other.backbone_size) == wanted:
            return model
    return None


def read_backbone(backbone: keras.Model, path: Path) -> None:
    """Give a backbone the weights that a LiteRT file holds; eight-bit ones come back rounded to their 255 steps.

    Args:
        backbone: of `READABLE`, as `build_backbone` builds it.
        path: of a model on that backbone.

    Raises:
        FerError: the file lacks one of its layers.
    """
    file = _File(path)
    for layer in backbone.layers:
        if layer.weights:
            kernel, bias = layer.weights
            rows, columns, channels, filters = kernel.shape
            kernel.assign(file.read(layer.name, (filters, rows, columns, channels)).transpose(1, 2, 3, 0))
            bias.assign(file.read(layer.name, tuple(bias.shape)))


class _File:
    """The constants of a LiteRT file by layer, as the converter names them: `…/<layer>_1/convolution`."""

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self.path = path
        self._interpreter = Interpreter(
            str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        )
        self._tensors: list[dict[str, Any]] = self._interpreter.get_tensor_details()

    def read(self, layer: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        named = re.compile(rf"^[^;]*/{re.escape(layer)}(_\d+)?/")
        found = [t for t in self._tensors if tuple(t["shape"]) == shape and named.match(t["name"])]
        if not found:
            raise FerError(f"The file {self.path} holds no weights of the layer {layer}. Expected the shape {shape}.")
        stored = min(found, key=lambda tensor: np.dtype(tensor["dtype"]).itemsize)  # not what is unpacked from it
        values = self._interpreter.get_tensor(stored["index"]).astype(np.float32)
        scales = stored["quantization_parameters"]["scales"]
        return values * scales.reshape(-1, *[1] * (len(shape) - 1)) if len(scales) else values
