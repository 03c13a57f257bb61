"""Spark SQL under ANSI rules and UTC."""

from __future__ import annotations

from mdfsql.dialects.base import Target

__all__ = ["target"]

target = Target(name="spark", dialect="spark", passes=(), allowed=None)
