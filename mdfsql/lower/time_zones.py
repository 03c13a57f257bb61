"""AT TIME ZONE: a moment as the clocks of a place show it, and back."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.moments import DAY, micros_of, of_micros, operated
from mdfsql.lower.rules import call, case, cast, kind, literal_text, of_kind, refuse

__all__ = ["at_time_zone"]

# Zones of which the reference and Java have the same rules, for the years 1800 to 2100. Others changed lately, or the
# databases of zones differ in what they were.
ZONES = {
    "UTC", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Phoenix",
    "America/Toronto", "America/Halifax", "America/Lima", "America/Argentina/Buenos_Aires",
    "America/Anchorage", "America/Sao_Paulo", "Europe/London", "Europe/Lisbon", "Europe/Paris",
    "Europe/Berlin", "Europe/Madrid", "Europe/Rome", "Europe/Brussels", "Europe/Vienna", "Europe/Zurich",
    "Europe/Helsinki", "Europe/Warsaw", "Europe/Prague", "Europe/Budapest", "Europe/Athens", "Asia/Tokyo", "Asia/Seoul",
    "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Singapore", "Asia/Kolkata", "Asia/Dubai", "Australia/Sydney",
    "Australia/Melbourne", "Australia/Brisbane", "Australia/Perth", "Pacific/Auckland", "Pacific/Honolulu",
    "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi",
}  # fmt: skip


def at_time_zone(node: Any) -> exp.Expr:
    """Return the time on a place's clocks at a TIMESTAMPTZ, or the instant at which they show a TIMESTAMP."""
    value, zone = node.this, literal_text(node.args["zone"])
    if zone not in ZONES:
        refuse(
            f"AT TIME ZONE {node.args['zone'].sql('duckdb')}",
            "its rules are not shown to be the same in each engine's database of zones",
            "a zone such as 'UTC', 'Europe/Berlin' or 'America/New_York'",
        )
    of_kind(value, "AT TIME ZONE", "timestamp", "timestamptz", instead="CAST it to TIMESTAMP")
    if kind(value) == "timestamptz":
        return cast(_shown(value, zone), "TIMESTAMP")
    shown = micros_of(value)
    first = call("UNIX_MICROS", call("TO_UTC_TIMESTAMP", cast(value, "TIMESTAMPTZ"), zone), type="BIGINT")
    # Where clocks are set back, a time is shown twice: the second time, with the offset of the day after, is meant.
    day_after = operated(exp.Add, first, DAY)
    offset = operated(exp.Sub, call("UNIX_MICROS", _shown(of_micros(day_after, "TIMESTAMPTZ"), zone)), day_after)
    second = operated(exp.Sub, shown, offset)
    again = exp.EQ(this=call("UNIX_MICROS", _shown(of_micros(second, "TIMESTAMPTZ"), zone)), expression=shown)
    return of_micros(case((again, second), default=first), "TIMESTAMPTZ")


def _shown(value: exp.Expr, zone: str) -> exp.Expr:
    return call("FROM_UTC_TIMESTAMP", value, zone, type="TIMESTAMPTZ")
