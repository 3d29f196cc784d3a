"""Ours and every installed peer, side by side: ``python -m benchmarks``."""
