"""Over which kinds of values each construct is shown to agree on Spark; made by tests.shown."""

from __future__ import annotations

from mdfsql.lower.shown_kinds import Shown

__all__ = ["SHOWN"]

SHOWN: Shown = {
    "abs": {
        "this": "decimal double float int",
    },
    "acos": {
        "this": "decimal double float int",
    },
    "acosh": {
        "this": "decimal double float int",
    },
    "add": {
        "expression": "date decimal double float int interval null",
        "this": "date decimal double float int interval timestamp timestamptz",
    },
    "age": {
        "1": "date timestamp timestamptz",
        "2": "date timestamp timestamptz",
    },
    "and": {
        "expression": "bool int null",
        "this": "bool int null",
    },
    "anyvalue": {
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "argmax": {
        "count": "=int",
        "expression": "bool date decimal double float int text timestamp timestamptz",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "argmin": {
        "count": "=int",
        "expression": "bool date decimal double float int text timestamp timestamptz",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "array_extract": {
        "1": "bool[] date[] decimal[] double[] int[] int[][] map map[] struct struct[] text text[] timestamp[]",
        "2": "=bool int null text",
    },
    "array_pop_back": {
        "1": "bool[] date[] decimal[] double[] int[] int[][] struct[] text[] text[][] timestamp[]",
    },
    "array_pop_front": {
        "1": "bool[] date[] decimal[] double[] int[] int[][] struct[] text[] text[][] timestamp[]",
    },
    "array_slice": {
        "1": "int[] int[][] struct[] text text[]",
        "2": "int null",
        "3": "int",
        "4": "=int",
    },
    "arrayagg": {
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "arrayfilter": {
        "expression": "lambda",
        "this": "bool[] date[] decimal[] double[] float[] int[] int[][] struct[] text[] text[][] timestamp[] timestamptz[]",
    },
    "arraysize": {
        "this": "bool[] date[] decimal[] double[] int[] int[][] null[] struct[] text[] text[][] timestamp[]",
    },
    "arraysort": {
        "asc": "=bool",
        "nulls_first": "=bool",
        "this": "bool[] date[] decimal[] double[] int[] int[][] struct[] text[] text[][] timestamp[]",
    },
    "arraytostring": {
        "expression": "=text",
        "this": "bool[] date[] decimal[] double[] int[] text[] timestamptz[]",
    },
    "ascii": {
        "this": "text",
    },
    "asin": {
        "this": "decimal double float int",
    },
    "asinh": {
        "this": "decimal double float int",
    },
    "atan": {
        "this": "decimal double float int",
    },
    "atanh": {
        "this": "decimal double float int",
    },
    "avg": {
        "this": "decimal double float int",
    },
    "base64": {
        "1": "blob",
    },
    "between": {
        "high": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval null struct struct[] text text[] timestamp timestamp[] timestamptz",
        "low": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval null struct struct[] text text[] timestamp timestamp[] timestamptz",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval null struct struct[] text text[] timestamp timestamp[] timestamptz",
    },
    "bin": {
        "1": "int",
    },
    "bit_count": {
        "1": "int",
    },
    "bitlength": {
        "this": "text",
    },
    "bitwiseand": {
        "expression": "int null",
        "this": "int",
    },
    "bitwiseandagg": {
        "this": "int",
    },
    "bitwiseleftshift": {
        "expression": "int null",
        "this": "int",
    },
    "bitwisenot": {
        "this": "int",
    },
    "bitwiseor": {
        "expression": "int null",
        "this": "int",
    },
    "bitwiseoragg": {
        "this": "int",
    },
    "bitwiserightshift": {
        "expression": "int null",
        "this": "int",
    },
    "bitwisexor": {
        "expression": "int",
        "this": "int",
    },
    "bitwisexoragg": {
        "this": "int",
    },
    "cardinality": {
        "1": "bool[] date[] decimal[] double[] int[] int[][] map struct[] text[] text[][] timestamp[]",
    },
    "case": {
        "default": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval map null struct struct[] text text[] timestamp timestamp[] timestamptz",
        "ifs": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval map null struct struct[] text text[] timestamp timestamp[] timestamptz",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] null struct struct[] text text[] timestamp timestamp[] timestamptz",
    },
    "cast to bool": {
        "this": "bool decimal double float int null text",
    },
    "cast to date": {
        "this": "date text timestamp timestamptz",
    },
    "cast to date[]": {
        "this": "null[]",
    },
    "cast to decimal": {
        "this": "bool decimal double float int text ubigint",
    },
    "cast to double": {
        "this": "bool decimal double float int text",
    },
    "cast to double[]": {
        "this": "decimal[] int[]",
    },
    "cast to float": {
        "this": "bool decimal double float int null",
    },
    "cast to int": {
        "this": "bool decimal double float int null text ubigint",
    },
    "cast to int[]": {
        "this": "bool[] decimal[] double[] int[] null null[] text[]",
    },
    "cast to map": {
        "this": "map",
    },
    "cast to struct": {
        "this": "struct",
    },
    "cast to struct[]": {
        "this": "struct[]",
    },
    "cast to text": {
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "cast to text[]": {
        "this": "bool[] date[] decimal[] int[] int[][] null[] struct[] text[] text[][] timestamp[]",
    },
    "cast to text[][]": {
        "this": "int[][]",
    },
    "cast to timestamp": {
        "this": "date text timestamp timestamptz",
    },
    "cast to timestamptz": {
        "this": "=text timestamp timestamptz",
    },
    "cbrt": {
        "this": "decimal double float int",
    },
    "ceil": {
        "this": "decimal double float int",
    },
    "century": {
        "1": "date interval timestamp timestamptz",
    },
    "chr": {
        "expressions": "int",
    },
    "coalesce": {
        "expressions": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map null null[] struct struct[] text text[] timestamp timestamp[] timestamptz",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map null struct struct[] text text[] timestamp timestamp[] timestamptz",
    },
    "concat": {
        "expressions": "bool date decimal float int map null struct text timestamp timestamptz",
    },
    "concatws": {
        "expressions": "bool date decimal double int map null struct text timestamp timestamptz",
    },
    "contains": {
        "expression": "bool date double int text timestamp",
        "this": "bool[] date[] double[] int[] text text[] timestamp[]",
    },
    "corr": {
        "expression": "decimal double float int",
        "this": "decimal double float int",
    },
    "cos": {
        "this": "decimal double float int",
    },
    "cosh": {
        "this": "decimal double float int",
    },
    "cot": {
        "this": "decimal double float int",
    },
    "count": {
        "": "nothing",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map null star struct struct[] text text[] text[][] timestamp timestamp[] timestamptz tuple",
    },
    "count_star": {
        "": "nothing",
    },
    "countif": {
        "this": "bool",
    },
    "covarpop": {
        "expression": "decimal double float int",
        "this": "decimal double float int",
    },
    "covarsamp": {
        "expression": "decimal double float int",
        "this": "decimal double float int",
    },
    "cumedist": {
        "": "nothing",
    },
    "date_part": {
        "1": "=text",
        "2": "date interval timestamp timestamptz",
    },
    "date_sub": {
        "1": "=text",
        "2": "date timestamp timestamptz",
        "3": "date timestamp timestamptz",
    },
    "dateadd": {
        "expression": "=int interval",
        "this": "date timestamp",
    },
    "datebin": {
        "expression": "date timestamp timestamptz",
        "this": "interval",
    },
    "datediff": {
        "expression": "date timestamp timestamptz",
        "this": "date timestamp timestamptz",
        "unit": "unit",
    },
    "datefromparts": {
        "day": "int",
        "month": "int",
        "year": "int",
    },
    "datesub": {
        "1": "=text",
        "2": "date timestamp",
        "3": "date",
    },
    "datetrunc": {
        "this": "date",
        "unit": "=text",
    },
    "day": {
        "this": "date interval timestamp timestamptz",
    },
    "dayname": {
        "this": "date timestamp timestamptz",
    },
    "dayofmonth": {
        "this": "date interval timestamp timestamptz",
    },
    "dayofweek": {
        "this": "date timestamp timestamptz",
    },
    "dayofweekiso": {
        "this": "date timestamp timestamptz",
    },
    "dayofyear": {
        "this": "date timestamp timestamptz",
    },
    "decade": {
        "1": "date interval timestamp timestamptz",
    },
    "decode": {
        "charset": "=text",
        "this": "blob",
    },
    "degrees": {
        "this": "decimal double float int",
    },
    "denserank": {
        "": "nothing",
    },
    "distinct": {
        "columns": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
        "expressions": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] null struct struct[] text text[] text[][] timestamp timestamp[] timestamptz tuple",
    },
    "div": {
        "expression": "decimal double float int null",
        "this": "decimal double float int",
    },
    "dpipe": {
        "expression": "bool bool[] date date[] decimal decimal[] double double[] int int[] int[][] map null struct struct[] text text[] timestamp timestamp[] timestamptz",
        "this": "bool bool[] date date[] decimal decimal[] double[] int int[] int[][] map struct struct[] text text[] timestamp timestamp[] timestamptz",
    },
    "encode": {
        "charset": "=text",
        "this": "text",
    },
    "endswith": {
        "expression": "text",
        "this": "text",
    },
    "entropy": {
        "1": "bool date decimal double float int text timestamp timestamptz",
    },
    "epoch_ns": {
        "1": "date interval timestamp",
    },
    "epoch_us": {
        "1": "date interval timestamp timestamptz",
    },
    "eq": {
        "expression": "all any bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval null struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval null struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
    },
    "era": {
        "1": "date timestamp timestamptz",
    },
    "error": {
        "1": "text",
    },
    "escape": {
        "expression": "=text",
        "this": "bool",
    },
    "except distinct": {
        "columns": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "exp": {
        "this": "decimal double float int",
    },
    "explode": {
        "this": "int[] int[][] struct struct[] text[] timestamp[]",
    },
    "extract": {
        "expression": "date interval timestamp timestamptz",
        "this": "unit",
    },
    "factorial": {
        "this": "int",
    },
    "first": {
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "firstvalue": {
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "flatten": {
        "1": "int[][]",
    },
    "floor": {
        "this": "decimal double float int",
    },
    "format": {
        "expressions": "bool double int text",
        "this": "=text",
    },
    "frombase64": {
        "this": "text",
    },
    "gcd": {
        "1": "int",
        "2": "int",
    },
    "generate_series": {
        "1": "date int timestamp timestamptz",
        "2": "date int null timestamp timestamptz",
        "3": "int interval",
    },
    "glob": {
        "expression": "=text",
        "this": "text",
    },
    "greatest": {
        "expressions": "bool date decimal double float int null text timestamp timestamptz",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "greatest_common_divisor": {
        "1": "int",
        "2": "int",
    },
    "group": {
        "expressions": "bool bool[] date date[] decimal decimal[] double double[] float groupingsets int int[] int[][] struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "groupconcat": {
        "separator": "=text",
        "this": "bool date decimal double int text timestamp timestamptz",
    },
    "grouping": {
        "expressions": "bool int int[] text",
    },
    "groupingsets": {
        "expressions": "tuple",
    },
    "gt": {
        "expression": "all any bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval null struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval struct struct[] text text[] timestamp timestamp[] timestamptz tuple ubigint",
    },
    "gte": {
        "expression": "all any bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] null null[] struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
    },
    "hamming": {
        "1": "text",
        "2": "text",
    },
    "hex": {
        "this": "blob int text",
    },
    "histogram": {
        "1": "bool date decimal double float int text timestamp timestamptz",
    },
    "hour": {
        "this": "date interval timestamp timestamptz",
    },
    "if": {
        "false": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map null struct struct[] text text[] timestamp timestamp[] timestamptz",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] null struct struct[] text text[] timestamp timestamp[] timestamptz",
        "true": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval map null struct struct[] text text[] timestamp timestamp[] timestamptz",
    },
    "ilike": {
        "expression": "=text",
        "this": "text",
    },
    "in": {
        "expressions": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval null null[] struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
        "query": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval null struct struct[] text text[] text[][] timestamp timestamp[] timestamptz tuple",
    },
    "intdiv": {
        "expression": "decimal double float int null",
        "this": "decimal double float int null",
    },
    "intersect distinct": {
        "columns": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "is": {
        "expression": "=bool null",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval map null struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "isfinite": {
        "1": "decimal double float int",
    },
    "isinf": {
        "this": "decimal double float int",
    },
    "isnan": {
        "this": "decimal double float int",
    },
    "isoyear": {
        "1": "date timestamp timestamptz",
    },
    "julian": {
        "1": "date timestamp timestamptz",
    },
    "kurtosis": {
        "this": "decimal double float int",
    },
    "kurtosis_pop": {
        "1": "decimal double float int",
    },
    "lag": {
        "default": "=int",
        "offset": "=int",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "last": {
        "this": "double int text",
    },
    "lastday": {
        "this": "date timestamp timestamptz",
    },
    "lastvalue": {
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "lcm": {
        "1": "int",
        "2": "int",
    },
    "lead": {
        "default": "=int =text null",
        "offset": "=int",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "least": {
        "expressions": "bool date decimal double float int null text timestamp timestamptz",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map null struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "least_common_multiple": {
        "1": "int",
        "2": "int",
    },
    "left": {
        "expression": "int",
        "this": "text",
    },
    "length": {
        "this": "bool[] date[] decimal[] double[] int[] int[][] struct[] text text[] text[][] timestamp[] timestamptz[]",
    },
    "levenshtein": {
        "expression": "text",
        "this": "text",
    },
    "like": {
        "expression": "null text",
        "this": "text",
    },
    "list_any_value": {
        "1": "bool[] date[] decimal[] double[] int[] int[][] struct[] text[] text[][] timestamp[]",
    },
    "list_append": {
        "1": "int[] int[][] text[]",
        "2": "=text int int[] null",
    },
    "list_avg": {
        "1": "decimal[] double[] int[]",
    },
    "list_bool_and": {
        "1": "bool[]",
    },
    "list_bool_or": {
        "1": "bool[]",
    },
    "list_concat": {
        "1": "int[] int[][] struct[] text[]",
        "2": "int[] int[][] null struct[] text[]",
        "3": "text[]",
    },
    "list_contains": {
        "1": "bool[] date[] double[] int[] int[][] text[] timestamp[]",
        "2": "bool date double int int[] null text timestamp",
    },
    "list_count": {
        "1": "bool[] date[] decimal[] double[] int[] int[][] struct[] text[] text[][] timestamp[]",
    },
    "list_distinct": {
        "1": "int[] int[][] text[]",
    },
    "list_first": {
        "1": "bool[] date[] decimal[] double[] int[] int[][] struct[] text[] text[][] timestamp[]",
    },
    "list_has_all": {
        "1": "bool[] date[] decimal[] int[] int[][] struct[] text[] timestamp[]",
        "2": "bool[] date[] decimal[] int[] int[][] struct[] text[] timestamp[]",
    },
    "list_has_any": {
        "1": "bool[] date[] decimal[] double[] int[] int[][] struct[] text[] timestamp[]",
        "2": "bool[] date[] decimal[] double[] int[] int[][] struct[] text[] timestamp[]",
    },
    "list_last": {
        "1": "bool[] date[] decimal[] double[] int[] int[][] struct[] text[] text[][] timestamp[]",
    },
    "list_max": {
        "1": "bool[] date[] decimal[] double[] int[] text[] timestamp[]",
    },
    "list_median": {
        "1": "double[] int[]",
    },
    "list_min": {
        "1": "bool[] date[] decimal[] double[] int[] text[] timestamp[]",
    },
    "list_position": {
        "1": "bool[] date[] double[] int[] int[][] text[] timestamp[]",
        "2": "bool date double int int[] null text timestamp",
    },
    "list_prepend": {
        "1": "int[] text[]",
        "2": "int null",
    },
    "list_product": {
        "1": "decimal[] double[] int[]",
    },
    "list_reduce": {
        "1": "int[] text[]",
        "2": "lambda",
        "3": "=int =text",
    },
    "list_resize": {
        "1": "int[] text[]",
        "2": "int null",
        "3": "=text int null",
    },
    "list_reverse": {
        "1": "bool[] date[] decimal[] double[] int[] int[][] struct[] text[] text[][] timestamp[]",
    },
    "list_string_agg": {
        "1": "bool[] date[] decimal[] double[] int[] text[] timestamp[]",
    },
    "list_sum": {
        "1": "bool[] decimal[] double[] int[]",
    },
    "list_unique": {
        "1": "bool[] date[] decimal[] int[] int[][] struct[] text[] text[][] timestamp[]",
    },
    "list_where": {
        "1": "int[] text[]",
        "2": "bool[]",
    },
    "ln": {
        "this": "decimal double float int",
    },
    "log": {
        "expression": "decimal double float int",
        "this": "decimal double float int",
    },
    "logicaland": {
        "this": "bool",
    },
    "logicalor": {
        "this": "bool",
    },
    "lower": {
        "this": "text",
    },
    "lt": {
        "expression": "all any bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval null struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
    },
    "lte": {
        "expression": "all any bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] null struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
    },
    "mad": {
        "1": "double float int",
    },
    "make_timestamp_ms": {
        "1": "int",
    },
    "map_contains": {
        "1": "map",
        "2": "=text int",
    },
    "map_entries": {
        "1": "map",
    },
    "map_extract": {
        "1": "map",
        "2": "text",
    },
    "map_from_entries": {
        "1": "struct[]",
    },
    "map_from_lists": {
        "1": "int[] text[]",
        "2": "int[] int[][] text[]",
    },
    "map_keys": {
        "1": "map",
    },
    "map_pack": {
        "1": "=text int",
        "2": "int int[] text",
        "3": "=int =text",
        "4": "=text int",
    },
    "map_values": {
        "1": "map",
    },
    "max": {
        "count": "=int",
        "this": "bool date decimal double float int text timestamp timestamptz",
    },
    "md5": {
        "this": "blob text",
    },
    "median": {
        "this": "bool date decimal double float int text timestamp timestamptz",
    },
    "microsecond": {
        "1": "date interval timestamp timestamptz",
    },
    "millennium": {
        "1": "date interval timestamp timestamptz",
    },
    "millisecond": {
        "1": "date interval timestamp timestamptz",
    },
    "min": {
        "count": "=int",
        "this": "bool date decimal double float int text timestamp timestamptz",
    },
    "minute": {
        "this": "date interval timestamp timestamptz",
    },
    "mismatches": {
        "1": "text",
        "2": "text",
    },
    "mod": {
        "expression": "decimal double float int null",
        "this": "decimal double float int",
    },
    "mode": {
        "this": "bool date decimal double float int text timestamp timestamptz",
    },
    "month": {
        "this": "date interval timestamp timestamptz",
    },
    "monthname": {
        "this": "date timestamp timestamptz",
    },
    "mul": {
        "expression": "decimal double float int interval null",
        "this": "decimal double float int interval",
    },
    "nanosecond": {
        "1": "date timestamp timestamptz",
    },
    "neg": {
        "this": "decimal double float int interval",
    },
    "neq": {
        "expression": "all any bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] null struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
    },
    "not": {
        "this": "bool int null",
    },
    "nthvalue": {
        "offset": "=int",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] map struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "ntile": {
        "this": "=int",
    },
    "nullif": {
        "expression": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] null struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "nullsafeeq": {
        "expression": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval null null[] struct struct[] text text[] timestamp timestamp[] timestamptz",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] interval null struct struct[] text text[] timestamp timestamp[] timestamptz",
    },
    "nullsafeneq": {
        "expression": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] null struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] null struct struct[] text text[] timestamp timestamp[] timestamptz tuple",
    },
    "octet_length": {
        "1": "blob",
    },
    "or": {
        "expression": "bool int null",
        "this": "bool int null",
    },
    "ord": {
        "1": "text",
    },
    "ordered": {
        "this": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] struct struct[] text text[] text[][] timestamp timestamp[] timestamptz unit",
    },
    "pad": {
        "expression": "int",
        "fill_pattern": "text",
        "this": "text",
    },
    "percentilecont": {
        "expression": "=decimal =int decimal[]",
        "this": "decimal double float int timestamptz",
    },
    "percentiledisc": {
        "expression": "=decimal =int decimal[]",
        "this": "bool date decimal decimal[] double float int text timestamp",
    },
    "percentrank": {
        "": "nothing",
    },
    "pi": {
        "": "nothing",
    },
    "pow": {
        "expression": "decimal double float int null",
        "this": "decimal double float int",
    },
    "prefix": {
        "1": "text",
        "2": "text",
    },
    "printf": {
        "1": "=text",
        "2": "double int",
        "3": "bool int text",
        "4": "date int",
        "5": "int",
        "6": "int",
        "7": "int",
    },
    "product": {
        "1": "decimal double float int",
    },
    "quantile": {
        "quantile": "=decimal",
        "this": "int",
    },
    "quarter": {
        "this": "date timestamp timestamptz",
    },
    "radians": {
        "this": "decimal double float int",
    },
    "range": {
        "1": "date int null timestamp",
        "2": "date int null timestamp",
        "3": "int interval",
    },
    "rank": {
        "": "nothing",
    },
    "regexp_split_to_array": {
        "1": "text",
        "2": "=text",
    },
    "regexpextract": {
        "expression": "=text",
        "group": "=int",
        "parameters": "=text",
        "this": "text",
    },
    "regexpextractall": {
        "expression": "=text",
        "group": "=int",
        "this": "text",
    },
    "regexpfullmatch": {
        "expression": "=text",
        "options": "=text",
        "this": "text",
    },
    "regexplike": {
        "expression": "=text",
        "flag": "=text",
        "this": "text",
    },
    "regexpreplace": {
        "expression": "=text",
        "modifiers": "=text",
        "replacement": "=text",
        "this": "text",
    },
    "regexpsplit": {
        "expression": "=text",
        "this": "text",
    },
    "regravgx": {
        "expression": "decimal double float int",
        "this": "decimal double float int",
    },
    "regravgy": {
        "expression": "decimal double float int",
        "this": "decimal double float int",
    },
    "regrcount": {
        "expression": "decimal double float int",
        "this": "decimal double float int",
    },
    "regrintercept": {
        "expression": "decimal double float int",
        "this": "decimal double float int",
    },
    "regrr2": {
        "expression": "decimal double float int",
        "this": "decimal double float int",
    },
    "regrslope": {
        "expression": "decimal double float int",
        "this": "decimal double float int",
    },
    "regrsxx": {
        "expression": "decimal double float int",
        "this": "decimal double float int",
    },
    "regrsxy": {
        "expression": "decimal double float int",
        "this": "decimal double float int",
    },
    "regrsyy": {
        "expression": "decimal double float int",
        "this": "decimal double float int",
    },
    "repeat": {
        "this": "text",
        "times": "int",
    },
    "replace": {
        "expression": "text",
        "replacement": "text",
        "this": "text",
    },
    "reverse": {
        "this": "text",
    },
    "right": {
        "expression": "int",
        "this": "text",
    },
    "round": {
        "decimals": "=int",
        "this": "decimal double float int",
    },
    "round_even": {
        "1": "decimal double int",
        "2": "=int",
    },
    "roundbankers": {
        "1": "decimal double int",
        "2": "=int",
    },
    "rownumber": {
        "": "nothing",
    },
    "second": {
        "this": "date interval timestamp timestamptz",
    },
    "sem": {
        "1": "decimal double float int",
    },
    "sha": {
        "this": "blob text",
    },
    "sha2": {
        "length": "=int",
        "this": "blob text",
    },
    "sign": {
        "this": "decimal double float int",
    },
    "similarto": {
        "expression": "=text",
        "this": "text",
    },
    "sin": {
        "this": "decimal double float int",
    },
    "sinh": {
        "this": "decimal double float int",
    },
    "skewness": {
        "this": "decimal double float int",
    },
    "split": {
        "expression": "=text",
        "this": "text",
    },
    "splitpart": {
        "delimiter": "=text",
        "part_index": "=int",
        "this": "text",
    },
    "sqrt": {
        "this": "decimal double float int",
    },
    "startswith": {
        "expression": "null text",
        "this": "text",
    },
    "stddev": {
        "this": "decimal double int",
    },
    "stddevpop": {
        "this": "decimal double int",
    },
    "stddevsamp": {
        "this": "decimal double int",
    },
    "strlen": {
        "1": "text",
    },
    "strposition": {
        "substr": "text",
        "this": "text",
    },
    "strtotime": {
        "format": "=text text[]",
        "this": "null text",
    },
    "struct_concat": {
        "1": "struct",
        "2": "struct",
    },
    "struct_insert": {
        "1": "struct",
        "2": "text[]",
    },
    "struct_keys": {
        "1": "struct",
    },
    "struct_update": {
        "1": "struct",
        "2": "int",
    },
    "sub": {
        "expression": "date decimal double float int interval null timestamp timestamptz",
        "this": "date decimal double float int interval timestamp timestamptz",
    },
    "substring": {
        "length": "int",
        "start": "int",
        "this": "text",
    },
    "suffix": {
        "1": "text",
        "2": "text",
    },
    "sum": {
        "this": "bool decimal double float int",
    },
    "tan": {
        "this": "decimal double float int",
    },
    "tanh": {
        "this": "decimal double float int",
    },
    "timestampfromparts": {
        "day": "int",
        "hour": "int null",
        "min": "int",
        "month": "int",
        "sec": "=decimal =int double",
        "year": "int",
    },
    "timestamptrunc": {
        "this": "date timestamp timestamptz",
        "unit": "unit",
    },
    "timetostr": {
        "format": "=text date timestamp timestamptz",
        "this": "=text date timestamp timestamptz",
    },
    "timetounix": {
        "this": "date interval timestamp timestamptz",
    },
    "timezone": {
        "1": "timestamp timestamptz",
    },
    "timezone_hour": {
        "1": "timestamp timestamptz",
    },
    "timezone_minute": {
        "1": "timestamp timestamptz",
    },
    "to_base": {
        "1": "int",
        "2": "=int",
        "3": "=int",
    },
    "to_hours": {
        "1": "int",
    },
    "to_microseconds": {
        "1": "int",
    },
    "to_milliseconds": {
        "1": "double int",
    },
    "to_minutes": {
        "1": "int",
    },
    "to_months": {
        "1": "int",
    },
    "to_quarters": {
        "1": "int",
    },
    "to_seconds": {
        "1": "double int",
    },
    "to_weeks": {
        "1": "int",
    },
    "to_years": {
        "1": "int",
    },
    "tobase64": {
        "this": "blob",
    },
    "todays": {
        "this": "int",
    },
    "transform": {
        "expression": "lambda",
        "this": "bool[] date[] decimal[] double[] float[] int[] int[][] struct[] text[] text[][] timestamp[] timestamptz[]",
    },
    "translate": {
        "from_": "text",
        "this": "text",
        "to": "text",
    },
    "trim": {
        "expression": "=text",
        "this": "text",
    },
    "trunc": {
        "decimals": "=int",
        "this": "decimal double float int",
    },
    "try_strptime": {
        "1": "null text",
        "2": "=text text[]",
    },
    "tuple": {
        "expressions": "bool double int int[] null text",
    },
    "unhex": {
        "this": "text",
    },
    "unicode": {
        "this": "text",
    },
    "union distinct": {
        "columns": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] null struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "unixtotime": {
        "scale": "=int",
        "this": "date decimal double int interval timestamp timestamptz",
    },
    "upper": {
        "this": "text",
    },
    "url_decode": {
        "1": "text",
    },
    "url_encode": {
        "1": "text",
    },
    "variance": {
        "this": "decimal double int",
    },
    "variancepop": {
        "this": "decimal double int",
    },
    "week": {
        "this": "date timestamp timestamptz",
    },
    "weekday": {
        "1": "date timestamp timestamptz",
    },
    "weekofyear": {
        "this": "date timestamp timestamptz",
    },
    "window": {
        "partition_by": "bool bool[] date date[] decimal decimal[] double double[] float int int[] int[][] null struct struct[] text text[] text[][] timestamp timestamp[] timestamptz",
    },
    "year": {
        "this": "date interval timestamp timestamptz",
    },
    "yearweek": {
        "1": "date timestamp timestamptz",
    },
}
