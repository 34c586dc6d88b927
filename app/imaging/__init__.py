"""Bytes to pixels and back: functions on arrays that know neither HTTP nor networks."""
