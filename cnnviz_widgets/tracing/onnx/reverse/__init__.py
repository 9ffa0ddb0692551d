"""Gradients of a score as further nodes of the graph: what autograd does, written out operation by operation.

Each function is given the graph, a call of the trace and the names of the gradients of what the call puts out, None
where the score does not depend on it. It answers with the gradients of values that the call reads, by number.
`accumulate` goes through the calls from the last to the first and has the table.
"""
