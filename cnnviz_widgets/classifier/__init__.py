"""A network, its input and its classes: how it is run, what its layers are and what its scores mean."""

from cnnviz_widgets.classifier.classifier import Autocast, Classifier, Layer, Scores
from cnnviz_widgets.classifier.target import Contrast, Score, Target, TargetLike

__all__ = ["Autocast", "Classifier", "Contrast", "Layer", "Score", "Scores", "Target", "TargetLike"]
