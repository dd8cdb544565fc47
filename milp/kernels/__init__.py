"""Compiled loops of the plug-ins for SCIP."""
