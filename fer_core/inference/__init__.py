"""Serve predictions, by LiteRT alone: importing this never imports TensorFlow or Keras."""

from fer_core.inference.analyzer import FaceAnalyzer
from fer_core.inference.classifier import Classifier, Prediction

__all__ = ["Classifier", "FaceAnalyzer", "Prediction"]
