"""What may be defined once in a project, whichever of its spec files it stands in."""

from __future__ import annotations

from alertkit.source import Problems, Span


def one_file_each(named: list[tuple[str, Span]], problems: Problems) -> None:
    """Two files must not define one system: the name of each, and the file that it is in."""
    first: dict[str, Span] = {}
    for system, span in sorted(named, key=lambda pair: pair[1]):
        if system in first:
            problems.add(
                "AK213", f"the system `{system}` is defined a second time", span,
                f"it is first defined at {first[system]}; put its alerts into one file, or rename one",
            )  # fmt: skip
        else:
            first[system] = span


def one_system_each(recorded: list[tuple[str, str, Span]], problems: Problems) -> None:
    """Two systems must not record one name: an alert would read what the other one records, too.

    `recorded`: names of records, their systems, and the alerts that they are for. Names begin with the system, but
    those of `shop` by `eu_zone` and of `shop_eu` by `zone` begin alike.
    """
    first: dict[str, tuple[str, Span]] = {}
    reported: set[Span] = set()
    for name, system, span in sorted(recorded, key=lambda record: (record[2], record[0])):
        other, place = first.setdefault(name, (system, span))
        if other != system and span not in reported:
            reported.add(span)
            problems.add(
                "AK215", f"the systems `{other}` and `{system}` would both record `{name}`", span,
                f"the other one is for the alert at {place}; rename one of the systems",
            )  # fmt: skip
