"""Random queries over random tables, which every engine answers as DuckDB does, or refuses."""
