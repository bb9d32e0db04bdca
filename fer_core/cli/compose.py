"""`compose`: put models that ship without their backbone together before they are first needed."""

from __future__ import annotations

from typing import Annotated

import typer

from fer_core.cli.output import complain, fails_clearly, stderr, stdout
from fer_core.store import list_models, load_model


@fails_clearly
def compose(
    names: Annotated[
        list[str] | None, typer.Argument(help="Models; default: all that need it.", metavar="NAME…")
    ] = None,
) -> None:
    """Put models together with their downloaded backbone, for instance before a class without network.

    Models that ship whole are ready already.
    """
    stored, warnings = list_models(servable=True)
    for warning in warnings:
        complain(warning)
    chosen = [load_model(name) for name in names] if names else [model for model in stored if model.composed]
    for model in chosen:
        stderr.print(f"{model.title} …", markup=False)
        path = model.weights
        stdout.print(f"{model.name}: {path} ({path.stat().st_size / 1e6:.1f} MB)", soft_wrap=True)
    if not chosen:
        stdout.print("No stored model needs to be put together.")
