"""What a network or a layer is, whatever class is asked for."""

from cnnviz_widgets.study.ablation import ablated_logits
from cnnviz_widgets.study.maximisation.class_visual import Channel, ClassVisual, Visual
from cnnviz_widgets.study.receptive_field import receptive_field

__all__ = ["Channel", "ClassVisual", "Visual", "ablated_logits", "receptive_field"]
