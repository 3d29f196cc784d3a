from . import (
    curvature as curvature,
    deflation as deflation,
    exact as exact,
    fit as fit,
    folds as folds,
    leave_one_out as leave_one_out,
    newton_equations as newton_equations,
    nystroem as nystroem,
    solver_choice as solver_choice,
)
