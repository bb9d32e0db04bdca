"""FER Lab's shared package: everything that the pages and the command line do."""

import os

__version__ = "0.1.0"

# TensorFlow uses oneDNN by itself only with AVX-512. With AVX2 it makes a training step a quarter shorter.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
