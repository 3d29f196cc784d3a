"""Displays of regularization paths."""
