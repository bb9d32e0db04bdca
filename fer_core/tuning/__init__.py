"""Tuning: many short trainings that look for good settings, ranked by the hold-out alone, never by a test split."""
