"""Settings of the documentation site; `make docs` builds it, without the network."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from docutils.nodes import SkipNode
from generate import write_pages

from racnet_tools import __version__

project = "RAC-Net toolkit"
author = "The RAC-Net toolkit developers"
copyright = author
version = release = __version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints", "reproduction/*/report_figures/*"]

html_theme = "pydata_sphinx_theme"
html_title = "RAC-Net toolkit"
html_theme_options = {
    "header_links_before_dropdown": 4,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
# Pages without pages below them need no list of these.
html_sidebars = {name: [] for name in ("install", "quickstart", "dashboards*", "limits", "comparison")}
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]

# The notebooks were executed before; the site shows what they gave.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
# No formula needs more than plain text, so that no page loads MathJax from elsewhere.
html_math_renderer = "none"

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's sections give them, with shapes and units
add_module_names = False
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
copybutton_exclude = ".linenos, .gp, .go"
suppress_warnings = ["myst.header"]


def setup(app):
    """Write the pages that are made of other parts of the project, and leave formulas alone."""
    write_pages()
    app.add_html_math_renderer("none", (_plain, None), (_plain, None))


def _plain(translator, node):
    translator.body.append(translator.encode(node.astext()))
    raise SkipNode
