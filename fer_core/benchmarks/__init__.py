"""Benchmarks of `python -m fer_core bench`.

This file imports nothing: some benchmarks run as programs, and what it imports would count as part of their start-up.
"""
