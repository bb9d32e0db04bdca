"""Trainings that people start: what they learn from, their folders, the queue, the process that works, promotion.

Import from the modules: a process that waits its turn loads only the two that it needs.
"""
