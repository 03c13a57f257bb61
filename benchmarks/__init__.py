"""mdfsql beside its peers: ``python -m benchmarks`` measures both in one run and prints ratios."""
