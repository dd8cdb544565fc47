"""Compiled local-search kernels, one module per problem, driven by :mod:`.driver`."""
