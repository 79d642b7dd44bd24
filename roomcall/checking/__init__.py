"""A verdict on a call, from what its peers have seen."""
