"""Stored models: the card, one model's files and classifier, and the folders in which models are found."""
