"""The numerical core: numpy, scipy and numba only, never scikit-learn.

One sub-package per family. Sub-packages and their modules load on first access, so that an
estimator module can import the core without paying for numba before the first fit.
"""

from skextra._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
