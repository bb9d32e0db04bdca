"""Metrics and statistics: `y_true (n,)` of int 0..6 and `proba (n, 7)`, or `Predictions` of several models.

Functions raise a ValueError for arrays that are not valid, see `predictions`, and for settings out of range.
"""
