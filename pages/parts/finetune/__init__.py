"""The parts of the Fine-tune page."""
