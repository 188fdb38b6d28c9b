"""Looking into composed YAML nodes, where scalars are still the text that was written."""

from __future__ import annotations

import yaml


def field_of(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """The value of a key of a mapping, also one that `<<` merges in; None when there is none."""
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in node.value:
        if key.value == name:
            found: yaml.Node = value
            return found
    for key, value in node.value:
        if key.value == "<<":
            for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if (inner := field_of(merged, name)) is not None:
                    return inner
    return None


def sequence_of(node: yaml.Node | None) -> list[yaml.Node]:
    """The items of a list; none of anything else."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def scalar_of(node: yaml.Node | None) -> str:
    """The text of a scalar; empty of anything else."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""
