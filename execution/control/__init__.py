"""Operational state: settings, the control store, the vault, budgets and the schedule."""
