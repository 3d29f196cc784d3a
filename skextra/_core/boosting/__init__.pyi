from . import (
    adaboost as adaboost,
    level_growing as level_growing,
    level_trees as level_trees,
    predict as predict,
    presorted_columns as presorted_columns,
    split_search as split_search,
)
