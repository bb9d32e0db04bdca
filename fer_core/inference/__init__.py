"""Predict expressions in photos, videos and camera streams with LiteRT, without TensorFlow or Keras."""

from fer_core.classifier import Classifier, Prediction
from fer_core.inference.pictures import FaceAnalyzer

__all__ = ["Classifier", "FaceAnalyzer", "Prediction"]
