"""Runs: trainings started from the Fine-tune page, each in a folder and a process of its own.

Import from the modules: a process that waits in the queue loads only the few that it needs.
"""
