from . import (
    cache as cache,
    entries as entries,
    families as families,
    jit as jit,
    kernel as kernel,
    library as library,
    select as select,
    targets as targets,
    threads as threads,
)
