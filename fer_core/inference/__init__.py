"""Predict expressions in photos, videos and camera streams with LiteRT, without TensorFlow or Keras."""

from fer_core.inference.analyzer import FaceAnalyzer
from fer_core.inference.classifier import Classifier, Prediction

__all__ = ["Classifier", "FaceAnalyzer", "Prediction"]
