"""A random hand on every view, hostile messages, races, a page that sleeps: CONTRIBUTING.md says how to run it long."""
