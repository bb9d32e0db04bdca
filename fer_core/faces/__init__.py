"""Finding faces in pictures, cutting them out as FER2013 frames them, and drawing what was found."""

from fer_core.faces.degrade import add_noise, blur_faces
from fer_core.faces.detector import FaceDetector, default_detector
from fer_core.faces.draw import draw_faces
from fer_core.faces.enhance import clahe, equalize_histogram
from fer_core.faces.framing import (
    CROP_SIZE,
    Transform,
    crop_face,
    framing_roll,
    framing_transform,
    invert,
    whole_image_face,
)
from fer_core.faces.haar import HaarDetector
from fer_core.faces.heat import overlay_activation, overlay_on_face
from fer_core.faces.prepare import prepare_faces
from fer_core.faces.yunet import YuNetDetector
from fer_core.faces.yunet_file import DetectorUnavailable, yunet_path

__all__ = [
    "CROP_SIZE",
    "DetectorUnavailable",
    "FaceDetector",
    "HaarDetector",
    "Transform",
    "YuNetDetector",
    "add_noise",
    "blur_faces",
    "clahe",
    "crop_face",
    "default_detector",
    "draw_faces",
    "equalize_histogram",
    "framing_roll",
    "framing_transform",
    "invert",
    "overlay_activation",
    "overlay_on_face",
    "prepare_faces",
    "whole_image_face",
    "yunet_path",
]
