"""The worker that puts a shipped head onto its downloaded backbone: `python -m fer_core.training.compose`."""

from __future__ import annotations

import sys
from pathlib import Path

import keras

from fer_core.models import ModelSpec, build_network
from fer_core.models.composed import HEAD, REFUSED, keep, read_head
from fer_core.store import StoredModel, open_model
from fer_core.training.convert import to_litert
from fer_core.types import FerError


def compose(model: StoredModel) -> keras.Model:
    """Build a stored model's network from its head and the backbone at hand.

    Raises:
        FerError: the backbone cannot be had, or the head does not fit it.
    """
    kernel, bias = read_head(model.folder / HEAD)
    network = build_network(ModelSpec.from_dict(model.card["spec"]))
    head = network.get_layer("head")
    expected = tuple(head.kernel.shape)
    if kernel.shape != expected:
        raise FerError(
            f"The head of {model.name} does not fit its backbone. Expected {expected}. Received: {kernel.shape}"
        )
    head.set_weights([kernel, bias])
    return network


def main(folder: Path, target: Path) -> int:
    """Compose a model's folder into a LiteRT file; the exit status, with one sentence on stdout where it is not 0."""
    try:
        model = open_model(folder)
        keep(to_litert(compose(model), model.card["input_size"], model.card["served"]["storage"]), target)
    except FerError as error:
        print(error)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
