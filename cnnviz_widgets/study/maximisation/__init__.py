"""Activation maximisation: the ascent, how its picture is parametrised, and the random views of each step."""
