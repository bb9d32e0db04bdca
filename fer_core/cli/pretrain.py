"""`pretrain`: a backbone learns faces by age and gender, for `train --weights utkface`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_core.cli.output import escaped, fails_clearly, progress_bar, stdout
from fer_core.cli.train import epoch_bar


@fails_clearly
def pretrain(
    backbone: Annotated[str, typer.Argument(help="Its name in keras.applications, as VGG16.")],
    data: Annotated[Path, typer.Option(help="Parquet table with age, gender (0 male, 1 female) and jpeg.")],
    size: Annotated[int | None, typer.Option(min=32, help="Pixels it sees; default: the named variants'.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the faces.")] = None,
    subset: Annotated[int | None, typer.Option(min=20, help="Only that many faces, to try it; kept apart.")] = None,
) -> None:
    """Pretrain a backbone on UTKFace's age and gender and keep it for `--weights utkface`.

    Cut it off whenever you like: the same command goes on at the last finished epoch.
    """
    from fer_core.data import load_utkface
    from fer_core.files import home

    faces = load_utkface(data)
    if subset is not None:
        faces = faces.subset(slice(subset))  # type: ignore[arg-type]
    from fer_core.training.pretrain import pretrain as run

    with progress_bar() as bar:
        folder = home() / "backbones" / "trials" if subset is not None else None
        path = run(backbone, faces, size, epochs, folder, lambda: epoch_bar(bar), lambda text: bar.log(escaped(text)))
    stdout.print(escaped(f"Stored {path} ({path.stat().st_size / 1e6:.1f} MB)"), soft_wrap=True)
