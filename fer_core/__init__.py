"""FER Lab's shared package: everything that the pages and the command line do."""

__version__ = "0.1.0"
