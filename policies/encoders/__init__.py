"""Networks from a graph to an embedding of each node."""
