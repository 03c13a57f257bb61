"""What each peer is given to do: a module a peer and a kind of work, run by ``benchmarks.side`` in its own Python."""
