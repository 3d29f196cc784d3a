from . import (
    cache as cache,
    entries as entries,
    families as families,
    jit as jit,
    select as select,
    targets as targets,
    threads as threads,
)
