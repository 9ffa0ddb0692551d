"""A random hand on every view, hostile messages, races, a page that sleeps; `pytest tests/soak --soak 10000` for long."""
