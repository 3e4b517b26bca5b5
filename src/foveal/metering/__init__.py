"""Metering: what every request spent, what that costs, and budgets."""
