"""Simulated studies like this one, and how the planned estimators fare in them."""
