"""`faces`: train the network that checks the hits of the Haar cascades."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_core.archives.places import local_files
from fer_core.cli.output import fails_clearly, stderr, stdout
from fer_core.data import IMAGE_SUFFIXES, load_fer2013, read_image
from fer_core.data.images import resized
from fer_core.types import FerError, Image

faces = typer.Typer(help="Train the detector that is used without YuNet.", no_args_is_help=True)

LONGEST = 1600
"""Pixels of the longest side to which larger photos are scaled before they are used."""


@faces.command()
@fails_clearly
def train(
    pictures: Annotated[Path, typer.Argument(help="Folder of pictures without a face, the more varied the better.")],
    data: Annotated[Path | None, typer.Option(help="FER2013: CSV, folder or zip.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the windows in each of two rounds.")] = None,
    seed: Annotated[int, typer.Option(help="Of the random numbers.")] = 0,
    ship: Annotated[bool, typer.Option(help="Replace the network that comes with FER Lab.")] = False,
) -> None:
    """Train the network that tells faces from the Haar cascades' false hits, on FER2013's Training faces."""
    from fer_core.faces.face_check import FILE
    from fer_core.training.face_check import EPOCHS, face_check_file, train_face_check

    found = [_read(path) for path in local_files([str(pictures)], IMAGE_SUFFIXES)]
    training = load_fer2013(data).split("training")
    rounds = EPOCHS if epochs is None else epochs
    network, _ = train_face_check(training.images, found, seed, rounds, stderr.print)
    target = FILE if ship else Path.cwd() / FILE.name
    target.write_bytes(face_check_file(network))
    stdout.print(f"Stored {target} ({target.stat().st_size / 1000:.0f} kB)", soft_wrap=True, markup=False)


def _read(path: Path) -> Image:
    try:
        image = read_image(path)
    except FerError as error:
        raise FerError(f"{path}: {error}") from error
    factor = LONGEST / max(image.shape[:2])
    if factor >= 1:
        return image
    return resized(image, (round(image.shape[1] * factor), round(image.shape[0] * factor)))
