from . import (
    cache as cache,
    entries as entries,
    families as families,
    jit as jit,
    targets as targets,
    threads as threads,
)
