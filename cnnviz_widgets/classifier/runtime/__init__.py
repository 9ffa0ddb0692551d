"""A network in another engine than torch: what is traced of it, and the ONNX models that are made of that.

`written` traces a classifier and writes it as ONNX (`tracing` does both for any network); it has no engine.
"""

from cnnviz_widgets.classifier.runtime.written import activation_name, maximum_name, onnx_model

__all__ = ["activation_name", "maximum_name", "onnx_model"]
