"""A network in another engine than torch: what is traced of it, and the ONNX models that are made of that.

`written` traces a classifier and writes it as ONNX (`tracing` does both for any network). `engine` is which engine
runs a classifier and why, `sessions` runs models by ONNX Runtime, `suitability` says what may be run so, `runtime`
chooses, checks and gives up.
"""

from cnnviz_widgets.classifier.runtime.engine import Engine, EngineChoice
from cnnviz_widgets.classifier.runtime.written import activation_name, gradient_name, maximum_name, onnx_model

__all__ = ["Engine", "EngineChoice", "activation_name", "gradient_name", "maximum_name", "onnx_model"]
