"""Explain a prediction: occlusion maps, predictions for edited pictures, and a tour of all steps."""

from fer_core.explain.edits import REGIONS, Edits, close_up, edit_and_rerun
from fer_core.explain.occlusion import NOTABLE, OcclusionMap, occlusion_map
from fer_core.explain.tour import Tour, tour

__all__ = ["NOTABLE", "REGIONS", "Edits", "OcclusionMap", "Tour", "close_up", "edit_and_rerun", "occlusion_map", "tour"]
