"""Neural policies for the problems of `co_gym`: networks, their training and their weights."""
