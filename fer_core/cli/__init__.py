"""The command line, `python -m fer_core …`. Reports go to stdout, progress and complaints to stderr."""

from fer_core.cli.main import app

__all__ = ["app"]
