"""Runs: trainings started from the Fine-tune page, each in a folder and a process of its own."""
