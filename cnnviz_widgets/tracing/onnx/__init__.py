"""A trace as an ONNX graph with a free batch axis.

`graph` is the graph under construction. The other modules write operations, each function one call of the trace: it
takes the graph and the call and answers with the names of what the call puts out. `model` has the table of them, and
`reverse` writes gradients.
"""
