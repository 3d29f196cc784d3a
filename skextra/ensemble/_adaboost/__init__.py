"""AdaBoost (SAMME and R2)."""
