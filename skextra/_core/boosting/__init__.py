"""AdaBoost: weights of samples, and trees of a few levels on presorted columns."""

from skextra._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
