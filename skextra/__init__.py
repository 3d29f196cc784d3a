"""skextra: scikit-learn's classical estimators, faster, certified and complete.

Sub-packages mirror scikit-learn's: change ``from sklearn.linear_model import
Lasso`` to ``from skextra.linear_model import Lasso`` and nothing else.
"""

from skextra._lazy import attach_stub, read_stub
from skextra._version import __version__

# All other names load on first access (see __init__.pyi), so that importing skextra
# costs neither scikit-learn's submodules nor the kernel compiler.
__getattr__, _, __all__ = attach_stub(__name__, __file__)
__all__ = ["__version__", *__all__]
_SUBMODULES = tuple(name for name, module in read_stub(__file__).items() if module is None)
_FUNCTIONS = tuple(name for name, module in read_stub(__file__).items() if module is not None)


def __dir__():
    return __all__


def load_ipython_extension(shell):
    """``%load_ext skextra`` patches scikit-learn in a notebook."""
    from skextra._patch import patch_sklearn

    patch_sklearn()


def unload_ipython_extension(shell):
    """``%unload_ext skextra`` takes the patch back."""
    from skextra._patch import unpatch_sklearn

    unpatch_sklearn()
