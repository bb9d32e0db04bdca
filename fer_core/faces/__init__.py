"""Detect faces in pictures, crop them like FER2013's faces, and draw results."""

from fer_core.faces.degradation import DEGRADATIONS, add_noise, blur_faces, degrade
from fer_core.faces.detector import DetectorUnavailable, FaceDetector, default_detector, yunet_path
from fer_core.faces.draw import (
    Evidence,
    annotated_jpeg,
    annotated_png,
    draw_faces,
    enlarged_pixels,
    evidence_for,
    heatmap_on_crop,
    heatmap_on_face,
    marked_faces,
    png,
)
from fer_core.faces.fallback import FallbackDetector
from fer_core.faces.framing import crop_face, framing_roll, framing_transform, whole_image_face
from fer_core.faces.preprocessing import preprocess_faces
from fer_core.faces.roll import dataset_roll, head_roll, known_roll, save_roll
from fer_core.faces.stages import DetectionStages, detection_stages
from fer_core.faces.yunet import YuNetDetector

__all__ = [
    "DEGRADATIONS",
    "DetectionStages",
    "DetectorUnavailable",
    "Evidence",
    "FaceDetector",
    "FallbackDetector",
    "YuNetDetector",
    "add_noise",
    "annotated_jpeg",
    "annotated_png",
    "blur_faces",
    "crop_face",
    "dataset_roll",
    "default_detector",
    "degrade",
    "detection_stages",
    "draw_faces",
    "enlarged_pixels",
    "evidence_for",
    "framing_roll",
    "framing_transform",
    "head_roll",
    "heatmap_on_crop",
    "heatmap_on_face",
    "known_roll",
    "marked_faces",
    "png",
    "preprocess_faces",
    "save_roll",
    "whole_image_face",
    "yunet_path",
]
