"""The parts of the page You against the model."""
