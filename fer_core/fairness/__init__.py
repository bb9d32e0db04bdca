"""Whom a model fails: its predictions compared between groups of faces, with intervals and tests."""
