"""A forward pass written down as a list of operations, and that list written out for other engines.

`trace` records the operations (`trees`: tensors in their arguments); `onnx` writes them as an ONNX graph, with what
layers put out. Nothing here knows a classifier: `classifier.runtime` says what is traced, `graph` makes a program of a
trace.
"""
