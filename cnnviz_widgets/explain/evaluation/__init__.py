"""Tests of a map: of the order it puts the pixels in, of randomised weights, of other techniques and other classes."""
