from . import (
    cholesky as cholesky,
    counter_rng as counter_rng,
    design_matrix as design_matrix,
    exact_arithmetic as exact_arithmetic,
    full_data as full_data,
    packed_columns as packed_columns,
    path as path,
    products as products,
    scaling as scaling,
    sorting as sorting,
    vector_math as vector_math,
)
