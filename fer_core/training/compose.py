"""The worker that puts a shipped part onto its downloaded backbone: `python -m fer_core.training.compose`."""

from __future__ import annotations

import sys
from pathlib import Path

import keras

from fer_core.models import build_network
from fer_core.models.composed import REFUSED, TRAINED, keep, read_weights
from fer_core.store import StoredModel, open_model
from fer_core.training.convert import to_litert
from fer_core.training.trained_part import put_back
from fer_core.types import FerError


def compose(model: StoredModel) -> keras.Model:
    """Build a stored model's network from its trained part and the backbone at hand.

    Raises:
        FerError: the backbone cannot be had, or the part does not fit it.
    """
    spec = model.card.spec
    assert spec is not None
    part = read_weights(model.folder / TRAINED)
    network = build_network(spec)
    put_back(network, spec, part)
    return network


def main(folder: Path, target: Path) -> int:
    """Compose a model's folder into a LiteRT file; the exit status, with one sentence on stdout where it is not 0."""
    try:
        model = open_model(folder)
        keep(to_litert(compose(model), model.card.input_size, (model.card.served or {})["storage"]), target)
    except FerError as error:
        print(error)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
