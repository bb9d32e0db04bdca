"""Specs and builders of all networks. Importing this does not import Keras; building a network does."""

from fer_core.models.registry import build_network, model_names, model_spec, network_names, networks_by_input
from fer_core.models.spec import ModelSpec

__all__ = ["ModelSpec", "build_network", "model_names", "model_spec", "network_names", "networks_by_input"]
