"""A network, its input and its classes: how it is run, what its layers are and what its scores mean."""

from cnnviz_widgets.classifier.classifier import Classifier
from cnnviz_widgets.classifier.layers import Layer
from cnnviz_widgets.classifier.precision import Autocast
from cnnviz_widgets.classifier.readout import Scores
from cnnviz_widgets.classifier.target import Contrast, Score, Target, TargetLike

__all__ = ["Autocast", "Classifier", "Contrast", "Layer", "Score", "Scores", "Target", "TargetLike"]
