"""How fast FER Lab is on this machine: `python -m tests.speed`."""
