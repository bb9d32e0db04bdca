"""Tests of fer_core.faces."""
