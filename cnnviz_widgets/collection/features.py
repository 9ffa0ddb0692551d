"""Old names of the store and of what it extracts, for panels that still use them."""

from cnnviz_widgets.collection.extraction import features_and_logits, layer_name, thumbnail_of
from cnnviz_widgets.collection.store import FeatureStore

__all__ = ["FeatureStore", "features_and_logits", "layer_name", "thumbnail_of"]
