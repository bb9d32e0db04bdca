"""FER Lab's package: everything that the pages and the command line do, and its functions for Python.

Example:
    >>> import fer_core
    >>> faces = fer_core.analyze("holiday/")
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fer_core.api.faces import analyze
    from fer_core.api.models import audit, evaluate

__version__ = "0.1.0"
__all__ = ["analyze", "audit", "evaluate"]

# TensorFlow uses oneDNN by itself only with AVX-512. With AVX2 it makes a training step a quarter shorter.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def __getattr__(name: str) -> Any:
    """Load the functions of `fer_core.api` at first use."""
    if name in __all__:
        return getattr(importlib.import_module(f"fer_core.api.{'faces' if name == 'analyze' else 'models'}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
