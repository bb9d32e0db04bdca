"""The parts of the Live camera page."""
