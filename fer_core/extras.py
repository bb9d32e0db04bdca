"""Which extra of the installation has a module, and the sentence if it is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fer_core.types import FerError

MODULES: Final = {
    **dict.fromkeys(("choreographer", "kaleido", "plotly", "skimage", "statsmodels"), "app"),
    **dict.fromkeys(("streamlit", "streamlit_webrtc"), "app"),
    **dict.fromkeys(("ai_edge_quantizer", "keras", "onnx", "optuna", "sqlalchemy", "tensorflow", "tf2onnx"), "train"),
    "onnxruntime": "onnx",
    "ray": "archive",
}
"""Modules that the base does not have, to the extra in pyproject.toml that has them."""


@contextmanager
def extras() -> Iterator[None]:
    """Raise a `FerError` with the command to run if a module of an extra is imported in the block but not installed.

    >>> with extras():
    ...     import statsmodels
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in MODULES:
            raise
        raise missing(module) from error


def missing(module: str) -> FerError:
    """Return the error for a module of `MODULES` that is not installed, with the command that installs it."""
    return FerError(f'{module} is not installed. Run `pip install "fer-lab[{MODULES[module]}]"`')
