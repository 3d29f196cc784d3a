from . import (
    kernel_functions as kernel_functions,
    loops as loops,
    partial_cholesky as partial_cholesky,
    products as products,
)
