"""From node embeddings to the probabilities of actions."""
