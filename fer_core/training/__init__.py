"""Fit models: augmentation, recipes, the fit itself, and conversion to what is served."""
