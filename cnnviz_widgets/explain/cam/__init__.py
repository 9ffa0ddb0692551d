"""Class activation maps: a layer's activations, weighted by what each channel does to the score."""
