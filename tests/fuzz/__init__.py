"""Random row functions on random rows: what the lifted SQL gives on an engine, against what CPython gives."""
