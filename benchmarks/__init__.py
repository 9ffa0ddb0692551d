"""Side by side with peers: every row is a ratio measured in one run. `python -m benchmarks [row ...]`."""
