"""Benches: one file a question; each prints a table and keeps its figures in bench/results/."""
