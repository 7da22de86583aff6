"""Erasure (DESIGN.md section 5): what is to go, and how it leaves each place that holds data."""
