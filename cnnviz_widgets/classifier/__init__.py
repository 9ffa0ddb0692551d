"""A network, its input and its classes: how it is run, what its layers are and what its scores mean.

`Classifier` is all that others need; a technique asks it for `pixels`, `logits`, `layers` and `recording`. Behind it,
in the order of reading:

- The input. `adapters`: what may be given as a preprocess. `preprocess`: from a picture to pixels. `normalisation`:
  what a network says of its pictures. `pretrained`: torchvision's networks by name. `given`: the network in what is
  passed.
- A pass. `runner` runs a `shadow` of the network, modules that share its weights (`shadow_values`: the attributes they
  have), or where there can be none the network itself, under `evaluation`. `passes`: one picture at a time, the same
  random numbers (`randomness`), a graph. `precision`: autocast. `failures`: what helps where a network raises.
- Another engine. `runtime`: passes of which only scores are wanted, by ONNX Runtime, and the network as an ONNX model.
- Getting to know it. `trial`: which size it takes, whether it is random, whether pictures see each other. `outputs`:
  which of the tensors that it returns are scores. `readout`: logits or probabilities (`capture`: what went into the
  network's own softmax). `scores`: class names and targets.
- Its layers. `observed` runs trial pictures, `maps` and `spatial` tell what moves with them, `evidence` what the scores
  depend on, `layers` names what was found. `hooks`, `layer_hooks` and `functions` listen to modules, to layers and to
  functions; `watch` stops a pass behind the last layer that is wanted.
- Many pictures. `batching`: how many at once. `memory`: how much is left. `inputs`, `differentiation`: one input,
  checked, and gradients of its scores.
- Shared. `locks`: the lock of all networks. `modules`: what a network is made of. `checksum`: whether it has changed.
"""

from cnnviz_widgets.classifier.classifier import Classifier
from cnnviz_widgets.classifier.layers import Layer
from cnnviz_widgets.classifier.precision import Autocast
from cnnviz_widgets.classifier.readout import Scores
from cnnviz_widgets.classifier.target import Contrast, Score, Target, TargetLike

__all__ = ["Autocast", "Classifier", "Contrast", "Layer", "Score", "Scores", "Target", "TargetLike"]
