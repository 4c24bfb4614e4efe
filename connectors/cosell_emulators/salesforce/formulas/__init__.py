"""Formulas: what administrators write so that a field computes itself."""
