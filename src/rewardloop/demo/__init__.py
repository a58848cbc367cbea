"""Seeded worlds made of real data, and the demonstration that plays the whole loop in one of them."""
