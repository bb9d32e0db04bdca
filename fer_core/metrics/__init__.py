"""Metrics and statistics: `y_true (n,)` of int 0..6 and `proba (n, 7)`, or `Predictions` of several models."""
