"""The charts of a report as PNG pictures, drawn by Kaleido in a Chromium that needs no network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import plotly.graph_objects as go
from PIL import Image, ImageOps

from fer_core.files import whole_file
from fer_core.sections.html import legend_space
from fer_core.sections.results import Results
from fer_core.sections.sections import SECTIONS
from fer_core.types import FerError

SCALE: Final = 2
"""Pixels of a picture for each pixel of a chart on the screen."""


def write_png(results: Results, folder: Path) -> list[Path]:
    """Write every chart into a folder, which is created if it does not exist, and return the files.

    Pictures have only the models that charts show at first. Nothing is downloaded, also if there is no browser.

    Raises:
        FerError: there is no Chromium or Chrome, it fails, or the folder cannot be written.
    """
    import kaleido
    from choreographer.channels import ChannelClosedError
    from kaleido.errors import (
        BrowserClosedError,
        BrowserFailedError,
        ChromeNotFoundError,
        JavascriptError,
        KaleidoError,
    )

    drawn = {
        folder / f"{chart.name}.png": (still(chart.draw()), chart.width)
        for make in SECTIONS
        for chart in make(results).charts
    }
    pictures = [
        {"fig": figure, "path": path, "opts": {"scale": SCALE, "width": width}}
        for path, (figure, width) in drawn.items()
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # One browser draws all. With MathJax, its page would load a script from a server.
        kaleido.write_fig_from_object_sync(pictures, cancel_on_error=True, kopts={"mathjax": False})
        for path in drawn:
            _frame(path)
    except ChromeNotFoundError as error:
        named = os.environ.get("BROWSER_PATH")
        where = f"BROWSER_PATH names {named}, which is not a program" if named else "none was found"
        raise FerError(
            f"Pictures of charts need Chromium or Chrome, but {where}. Install one (Debian: apt-get install chromium), "
            "or set BROWSER_PATH to its program."
        ) from error
    except (
        *(BrowserClosedError, BrowserFailedError, BrokenPipeError, ChannelClosedError),
        *(JavascriptError, KaleidoError, TimeoutError),
    ) as error:
        reason = str(error.args[0])[:200].rstrip(". ") if error.args else type(error).__name__
        raise FerError(
            f"The browser did not draw the charts ({reason}). Set BROWSER_PATH to another Chromium or Chrome."
        ) from error
    except OSError as error:
        raise FerError(f"The pictures cannot be written to {folder} ({error.strerror or error}).") from error
    return list(drawn)


def still(figure: go.Figure) -> go.Figure:
    """Return a figure without the models that only a click in the legend would show."""
    shown = [trace for trace in figure.data if trace.visible != "legendonly"]
    smaller = go.Figure(shown, figure.layout)
    smaller.layout.height += legend_space(smaller) - legend_space(figure)
    return smaller


def _frame(path: Path) -> None:
    """Add a white margin to a picture, because charts reach its edges."""
    with Image.open(path) as picture:
        framed = ImageOps.expand(picture.convert("RGB"), 16 * SCALE, "white")
    with whole_file(path) as partial:
        framed.save(partial)
