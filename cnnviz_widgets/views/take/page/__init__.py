"""Panels and apps as pages without a kernel: what is recorded of them, and what answers the hand in the page."""
