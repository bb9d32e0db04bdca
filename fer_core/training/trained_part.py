"""What training changes in a network: taken out to be shipped alone, and put back."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from fer_core.models import ModelSpec
from fer_core.models.transfer import backbone_of
from fer_core.types import FerError


def trained_part(network: keras.Model, spec: ModelSpec) -> dict[str, NDArray[np.float16] | NDArray[np.float32]]:
    """Return the weights that training may have changed, by path.

    The kernels of opened layers are rounded to float16, and the network is given the rounded values, so that what is
    measured next is what will be put together from them. All else is small and stays float32.

    Args:
        network: of `build_network(spec)`; changed in place by the rounding.
        spec: what it is.
    """
    part: dict[str, NDArray[np.float16] | NDArray[np.float32]] = {}
    backbone = {id(variable) for variable in backbone_of(network).weights}
    for variable in _changing(network, spec):
        values = keras.ops.convert_to_numpy(variable).astype(np.float32)
        if id(variable) in backbone and values.ndim > 1:
            part[variable.path] = values.astype(np.float16)
            variable.assign(part[variable.path].astype(np.float32))
        else:
            part[variable.path] = values
    return part


def put_back(network: keras.Model, spec: ModelSpec, part: dict[str, NDArray[np.float32]]) -> None:
    """Give a freshly built network its trained part.

    Raises:
        FerError: the part does not fit the network.
    """
    expected = {variable.path: variable for variable in _changing(network, spec)}
    wrong = sorted(
        path
        for path in expected.keys() | part.keys()
        if path not in expected or path not in part or tuple(expected[path].shape) != part[path].shape
    )
    if wrong:
        raise FerError(
            f"The trained part of {spec.name} does not fit its network. Expected the weights of {spec.trained}. "
            f"Received another {wrong[0]}"
        )
    for path, variable in expected.items():
        variable.assign(part[path])


def _changing(network: keras.Model, spec: ModelSpec) -> list[keras.Variable]:
    """Everything but the closed layers of the backbone.

    The batch normalisations among the opened layers are shipped too, although they stand still: the kernels were
    trained to go with them, and another file of the same backbone may share out the two otherwise, as where one is
    folded into the other.
    """
    layers = backbone_of(network).layers
    closed = layers[: len(layers) - spec.open_layers]
    unchanged = {id(variable) for layer in closed for variable in layer.weights}
    return [variable for variable in network.weights if id(variable) not in unchanged]
