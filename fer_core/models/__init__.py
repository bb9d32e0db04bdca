"""Specs and builders of every network. Importing this does not import Keras; building does."""

from fer_core.models.registry import build_network, model_names, model_spec, network_names
from fer_core.models.spec import ModelSpec

__all__ = ["ModelSpec", "build_network", "model_names", "model_spec", "network_names"]
