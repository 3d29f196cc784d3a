"""Sphinx settings."""

import os
import sys
from pathlib import Path

_DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(_DOCS / "_ext"), str(_DOCS.parent)]

import skextra  # noqa: E402

project = "skextra"
author = "The skextra developers"
copyright = "2026, The skextra developers"
version = release = skextra.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    # MathJax comes with the pages: they are readable without a network.
    "sphinx-mathjax-offline",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "generated_pages",
    "speedup_chart",
]
exclude_patterns = ["_build", "_ext", "examples", "generated", "gallery/**/*.ipynb"]
# A table of run times that loads its scripts from elsewhere.
exclude_patterns += ["sg_execution_times.rst", "gallery/sg_execution_times.rst"]
exclude_patterns += ["gallery/**/sg_execution_times.rst"]
default_role = "literal"

autosummary_generate = False  # generated_pages writes the pages
numpydoc_show_class_members = False
myst_enable_extensions = ["colon_fence", "dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3

# Their inventory comes over the network, which a build of warnings-are-errors must not need.
if os.environ.get("READTHEDOCS"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "numpy": ("https://numpy.org/doc/stable", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }
else:
    # Words of scikit-learn's glossary, which docstrings use as its own do.
    suppress_warnings = ["ref.term"]

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "doc_module": ("skextra",),
    "backreferences_dir": "generated/backreferences",
    "abort_on_example_error": True,
    "show_memory": False,
    "download_all_examples": False,
    "min_reported_time": 1e9,
}

html_theme = "pydata_sphinx_theme"
html_title = "skextra"
html_logo = html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_theme_options = {
    "logo": {"alt_text": "skextra"},
    "github_url": "https://github.com/skextra/skextra",
    "show_prev_next": False,
    "header_links_before_dropdown": 5,
    "navbar_align": "left",
    "navigation_depth": 3,
    "secondary_sidebar_items": ["page-toc"],
}
# Pages without siblings have nothing to navigate to beside the header.
_SINGLE_PAGES = (
    "index install quickstart switching choosing benchmarks certificates differences faq glossary"
)
html_sidebars = {page: [] for page in [*_SINGLE_PAGES.split(), "design", "changelog", "citing"]}
