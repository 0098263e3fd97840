"""The study: its settings, the order of its steps, and what makes a run repeatable."""
