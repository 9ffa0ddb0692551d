"""Scans over a data set: where its pictures come from, their features, neighbours and maps. No widgets, no threads."""
