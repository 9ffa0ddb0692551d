"""What each view asks before it shows its result, and how a guess is judged.

| view | what is marked | the score |
|---|---|---|
| `OcclusionView` | what costs the class most when it is covered | its loss against that of the best of its size |
| `CAMView`, `SaliencyView` | the part that holds most of the map | its share against that of the best of its size |
| `ActivationView` | which of two channels responds more strongly | right or wrong |
| `FilterView` | which of two filters has larger weights | right or wrong |
| `PatchView` | which of two patches excites the channel more | right or wrong |
| `NeighbourView` | which of two pictures is nearer in the features | right or wrong |
| `MaximisationView` | the class that the picture was made for | 1, or 1 / rank but at most a half |
| `DataView` | which of two pictures the network gets wrong | right or wrong |
| `TestView` | whether the order of the map or a random one raises the score more | right or wrong |
| `PredictionView`, `SketchView`, `CameraView` | the class that is predicted | 1 / rank |
| `EmbeddingView` | the pictures of the most frequent label | intersection over union |
"""
