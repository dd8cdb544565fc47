"""Sphinx configuration."""

project = "co-gym"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
nb_execution_mode = "off"  # the code blocks are executed by tests/docs
exclude_patterns = ["_build"]
