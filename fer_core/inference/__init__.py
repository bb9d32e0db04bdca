"""Predict expressions in photos, videos and camera streams with LiteRT, without TensorFlow or Keras."""

from fer_core.inference.classifier import Classifier, FaceAnalyzer, Prediction

__all__ = ["Classifier", "FaceAnalyzer", "Prediction"]
