"""Data that is larger than memory: blocks of rows."""

from skextra.utils._blocks import Blocks

__all__ = ["Blocks"]
