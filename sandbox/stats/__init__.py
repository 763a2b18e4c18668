"""Shares, bounds, intervals and coefficients of agreement."""
