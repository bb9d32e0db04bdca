"""Explain a prediction: occlusion maps, and predictions for edited pictures."""

from fer_core.explain.edits import REGIONS, EditedFace, Edits, edit_and_rerun
from fer_core.explain.occlusion import NOTABLE, OcclusionMap, occlusion_map

__all__ = ["NOTABLE", "REGIONS", "EditedFace", "Edits", "OcclusionMap", "edit_and_rerun", "occlusion_map"]
