from tests.metrics.conftest import answers, models, other

__all__ = ["answers", "models", "other"]
