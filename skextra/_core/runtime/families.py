"""The families of kernels and what each may import.

A test holds the code to this table. The kernel cache relies on it: an entry is valid as long
as the sources of its family, and of all that the family may import, are the same.
"""

# Direct imports; what these may import is allowed, too.
IMPORTS = {
    "runtime": (),
    "numerics": ("runtime",),
    "quadratic": ("numerics",),
    "least_squares": ("quadratic",),
    "logistic": ("quadratic",),
    "gram": ("numerics",),
    "kernel_logistic": ("gram", "logistic"),
    "svm": ("gram", "quadratic"),
    "tree": ("numerics",),
    "boosting": ("tree",),
    "generative": ("tree",),
    "mixture": ("numerics",),
    "sampling": ("numerics",),
    "positions": ("numerics",),
}


def list_imports(family):
    """The family and every family that it may import, directly or not, sorted."""
    found = {family}
    for name in IMPORTS[family]:
        found.update(list_imports(name))
    return sorted(found)
