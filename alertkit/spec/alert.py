"""The keys that every alert may have, and the conditions of alerts that measure a value."""

from functools import cached_property, lru_cache
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from alertkit.spec.duration import Duration, Interval
from alertkit.spec.quantity import NAMED_UNITS, Quantity, Unit, is_number, parse_quantity, unit_of_metric
from alertkit.spec.reader import Reader, each, items
from alertkit.spec.selector import LabelName, Where
from alertkit.spec.shown import brief
from alertkit.spec.validate import Model, suggest


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise PydanticCustomError(
        "AK203", "expected text, found {shown}",
        {"shown": brief(value), "help": "write a text; put it in quotes if it looks like something else to YAML"},
    )  # fmt: skip


def _names(value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise PydanticCustomError(
            "AK203", "expected a name or a list of names, found {shown}",
            {"shown": brief(value), "help": "write one name, or several like `[a, b]`"},
        )  # fmt: skip
    return tuple(names)


class Explanation(NamedTuple):
    """An alert that explains another one away; with `pending` false that one must not even be pending meanwhile."""

    alert: str
    pending: bool = True


def _explanation(value: Any) -> Explanation:
    """The name of an alert, or `{alert: X, pending: false}`."""
    if isinstance(value, str):
        return Explanation(value)
    help = "write `X`, or `{alert: X, pending: false}` to forbid pending too"
    if not isinstance(value, dict):
        raise PydanticCustomError(
            "AK203", "expected the name of an alert, found {shown}", {"shown": brief(value), "help": help}
        )
    unknown = [key for key in value if key not in Explanation._fields]
    if unknown:
        advice = suggest(unknown[0], Explanation._fields)
        raise PydanticCustomError(
            "AK201", "unknown key `{key}`", {"key": unknown[0], "help": advice, "path": (unknown[0],), "at": "key"}
        )
    if "alert" not in value:
        raise PydanticCustomError("AK202", "the key `alert` is missing", {"help": help})
    name, pending = value["alert"], value.get("pending", True)
    if not isinstance(name, str):
        raise PydanticCustomError(
            "AK203", "expected the name of an alert, found {shown}",
            {"shown": brief(name), "help": help, "path": ("alert",)},
        )  # fmt: skip
    if not isinstance(pending, bool):
        raise PydanticCustomError(
            "AK203", "expected true or false, found {shown}",
            {"shown": brief(pending), "help": "write true or false here", "path": ("pending",)},
        )  # fmt: skip
    return Explanation(name, pending)


Text = Annotated[str, Reader(_text)]
Explanations = Annotated[tuple[Explanation, ...], Reader(lambda value: tuple(items(value, _explanation)))]
Names = Annotated[tuple[str, ...], Reader(_names)]


def _quantity(value: Any, *path: str | int) -> Quantity:
    """The quantity that `value` says; `path` is where it stands inside the field."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    quantity = parse_quantity(value) if isinstance(value, str) else None
    if quantity is None:
        from alertkit.spec import guess

        meant = guess.quantity(value) if isinstance(value, str) else None
        help = "write a number with a unit, like 5%, 250ms, 1h30m, 2GiB, 10/s or 3"
        if isinstance(value, str) and "<<" in value:
            help = "only the variables of `for_each` can be put in here, as `<< name >>`"
        if value == "":
            help = "write the number alone: in YAML a `>` or `|` begins a block of text"
        help = f"did you mean `{meant}`?" if meant else help
        wrong = "is not a quantity"
        if isinstance(value, str) and is_number(value):
            wrong, help = "is out of range", "write a number that a metric can have, like 1e15"
        raise PydanticCustomError("AK302", f"{{shown}} {wrong}", {"shown": brief(value), "help": help, "path": path})
    return quantity


QuantityField = Annotated[Quantity, Reader(lambda value: _quantity(value))]


class Levels(NamedTuple):
    """Severity -> quantity; the one key None stands for the alert's own `severity`."""

    quantities: tuple[tuple[str | None, Quantity], ...]


def _levels(value: Any) -> Levels:
    if not isinstance(value, dict):
        return Levels(((None, _quantity(value)),))
    if not value:
        raise PydanticCustomError("AK303", "no level is given", {"help": "write {warning: 5%, critical: 10%}"})
    return Levels(tuple(zip(map(str, value), each(_quantity, value.values(), value), strict=True)))


LevelsField = Annotated[Levels, Reader(_levels)]


def _band(value: Any) -> tuple[Quantity, Quantity]:
    if not isinstance(value, list) or len(value) != 2:
        raise PydanticCustomError("AK302", "expected two quantities", {"help": "write `outside: [lowest, highest]`"})
    lowest, highest = each(_quantity, value, (0, 1))
    return lowest, highest


BandField = Annotated[tuple[Quantity, Quantity], Reader(_band)]


def _unit(value: Any) -> Unit:
    unit = NAMED_UNITS.get(value) if isinstance(value, str) else None
    if unit is None:
        raise PydanticCustomError(
            "AK304", "`{shown}` is not a unit", {"shown": str(value)[:40], "help": suggest(str(value), NAMED_UNITS)}
        )
    return unit


UnitField = Annotated[Unit, Reader(_unit)]


class AlertSpec(Model):
    """Common keys of every alert. Durations are milliseconds."""

    kind: str
    for_: Duration = Field(0, alias="for")
    keep_firing_for: Duration = 0
    severity: str | None = None
    by: tuple[LabelName, ...] | None = None
    where: Where = ()
    labels: dict[str, Text] = Field(default_factory=dict)
    annotations: dict[str, Text] = Field(default_factory=dict)
    summary: Text | None = None
    description: Text | None = None
    runbook: str | None = None
    dashboard: str | None = None
    active: str | None = None
    mute: str | None = None
    notify: Names = ()
    unless: Explanations = ()
    missing: Literal["ignore", "alert"] = "ignore"
    enabled: bool = True
    tests: Literal["on", "off"] = "on"
    for_each: dict[LabelName, list[Text]] = Field(default_factory=dict)


CONDITIONS = {"above": ">", "below": "<", "at_least": ">=", "at_most": "<=", "equals": "==", "not_equals": "!="}
_CONDITIONS = (*CONDITIONS, "outside")


class Measured(AlertSpec):
    """An alert whose signal is a value that is compared: exactly one condition, and the unit of the value."""

    unit: UnitField | None = None
    above: LevelsField | None = None
    below: LevelsField | None = None
    at_least: LevelsField | None = None
    at_most: LevelsField | None = None
    equals: LevelsField | None = None
    not_equals: LevelsField | None = None
    outside: BandField | None = None
    clear: QuantityField | None = None

    @cached_property
    def conditions(self) -> tuple[tuple[str, Any], ...]:
        """The conditions that are given: their names and what stands there, a `Levels` or the band of `outside`."""
        given = vars(self)
        return tuple([(name, given[name]) for name in _CONDITIONS if given[name] is not None])

    def asked(self, unit: Unit) -> tuple[tuple[str, float], ...]:
        """What they ask for in `unit`: PromQL comparisons, each with a number; what does not fit is left out."""
        return _asked(self.conditions, unit)

    def thresholds(self, unit: Unit) -> tuple[float, ...]:
        """All values that the conditions and `clear` name, in `unit`; what does not fit is left out."""
        return _thresholds(self.conditions, self.clear, unit)

    def unit_of(self, metric: str) -> Unit:
        """The unit that `unit:` says, else the one that the metric's name tells."""
        return self.unit or unit_of_metric(metric)


@lru_cache(maxsize=4096)
def _asked(conditions: tuple[tuple[str, Any], ...], unit: Unit) -> tuple[tuple[str, float], ...]:
    asked: list[tuple[str, Quantity]] = []
    for name, given in conditions:
        if name == "outside":
            asked += zip(("<", ">"), given, strict=True)
        else:
            asked += [(CONDITIONS[name], quantity) for _, quantity in given.quantities]
    return tuple([(op, value) for op, quantity in asked if (value := quantity.in_unit(unit)) is not None])


@lru_cache(maxsize=4096)
def _thresholds(conditions: tuple[tuple[str, Any], ...], clear: Quantity | None, unit: Unit) -> tuple[float, ...]:
    cleared = None if clear is None else clear.in_unit(unit)
    values = [value for _, value in _asked(conditions, unit)]
    return tuple(values if cleared is None else [*values, cleared])


class Defaults(AlertSpec):
    """What `defaults:` of a file may hold: common keys that an alert has not given itself."""

    not_offered: ClassVar[tuple[str, ...]] = ("kind", "for_each", "unless")
    elsewhere: ClassVar[dict[str, str]] = dict.fromkeys(
        (*CONDITIONS, "outside", "clear", "unit", "window", "metric"), "it belongs to each alert that needs it"
    )

    kind: str = ""

    @model_validator(mode="before")
    @classmethod
    def _only_common(cls, data: Any) -> Any:
        for key in cls.not_offered:
            if isinstance(data, dict) and key in data:
                raise PydanticCustomError(
                    "AK201", "`{key}` belongs to an alert, not to `defaults`",
                    {"key": key, "path": (key,), "at": "key", "help": "give it to each alert that needs it"},
                )  # fmt: skip
        return data


def _alerts(value: Any) -> Any:
    if not isinstance(value, dict):
        raise PydanticCustomError(
            "AK203", "expected a mapping of alerts, found {shown}",
            {"shown": brief(value), "help": "write each under its name: `HighLatency: {kind: latency, ...}`"},
        )  # fmt: skip
    return value


class SpecFile(Model):
    """One file of `rules_src/`. `alerts` stay raw here: each is checked against its own kind."""

    system: str
    team: str = ""
    runbooks: str | None = None
    interval: Interval | None = None
    defaults: Defaults = Field(default_factory=dict, validate_default=True)
    labels: dict[str, Text] = Field(default_factory=dict)
    alerts: Annotated[dict[str, Any], Reader(_alerts)]
