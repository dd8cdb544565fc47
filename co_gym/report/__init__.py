"""Results as tables, plots and a live progress line."""
