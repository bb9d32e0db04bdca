"""`python -m fer_core`."""

from fer_core.cli import main

main("python -m fer_core")
