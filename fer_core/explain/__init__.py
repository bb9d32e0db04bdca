"""Why a model said so: occlusion maps, and what it says of a picture that was changed."""

from fer_core.explain.edits import REGIONS, Edits, close_up, cover_region
from fer_core.explain.occlusion import OcclusionMap, occlusion_map
from fer_core.explain.pictures import annotated_jpeg, annotated_png, enlarged_pixels
from fer_core.explain.rerun import EditedFace, edit_and_rerun

__all__ = [
    "REGIONS",
    "EditedFace",
    "Edits",
    "OcclusionMap",
    "annotated_jpeg",
    "annotated_png",
    "close_up",
    "cover_region",
    "edit_and_rerun",
    "enlarged_pixels",
    "occlusion_map",
]
