"""Detect faces in pictures, crop them like FER2013's faces, and draw results."""

from fer_core.faces.cut import CutFaces, cut_faces
from fer_core.faces.degradation import CHANGES, DEGRADATIONS, add_noise, blur_faces, degrade
from fer_core.faces.detector import DetectorUnavailable, FaceDetector, FallbackDetector, default_detector, yunet_path
from fer_core.faces.draw import (
    DetectionStages,
    Evidence,
    annotated_jpeg,
    annotated_png,
    detection_stages,
    draw_faces,
    enlarged_pixels,
    evidence_for,
    heatmap_on_crop,
    heatmap_on_face,
    marked_faces,
    png,
    upright_face,
)
from fer_core.faces.framing import crop_face, framing_roll, framing_transform, whole_image_face
from fer_core.faces.pose import head_pose
from fer_core.faces.preprocessing import preprocess_faces
from fer_core.faces.roll import dataset_roll, head_roll, known_roll, save_roll
from fer_core.faces.yunet import YuNetDetector
