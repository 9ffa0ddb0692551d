"""What a comparison of two views is made of: what answers to what, links between them, and the difference of maps."""
