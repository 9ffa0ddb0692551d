"""Maps from the gradient of the score with respect to the network input."""
