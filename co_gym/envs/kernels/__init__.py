"""Compiled steps of the environments, one module per problem: all rows of a batch in one call."""
