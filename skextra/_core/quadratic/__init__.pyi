from . import (
    column_sweeps as column_sweeps,
    elastic_net_penalty as elastic_net_penalty,
    model as model,
    projected_newton as projected_newton,
    sweeps as sweeps,
)
