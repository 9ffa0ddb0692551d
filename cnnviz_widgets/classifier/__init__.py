"""A network, its input and its classes: how it is run, what its layers are and what its scores mean."""

from cnnviz_widgets.classifier.classifier import Autocast, Classifier, Contrast, Layer, Scores, Target

__all__ = ["Autocast", "Classifier", "Contrast", "Layer", "Scores", "Target"]
