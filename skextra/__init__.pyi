from . import (
    ensemble as ensemble,
    generative as generative,
    kernel_logistic as kernel_logistic,
    linear_model as linear_model,
    mixture as mixture,
    preprocessing as preprocessing,
    sampling as sampling,
    svm as svm,
    tree as tree,
    utils as utils,
)
from ._compare import compare as compare
from ._discovery import all_estimators as all_estimators
from ._environment import show_versions as show_versions
from ._patch import (
    patch_report as patch_report,
    patch_sklearn as patch_sklearn,
    patched as patched,
    unpatch_sklearn as unpatch_sklearn,
)
from ._warmup import warmup as warmup

__version__: str
