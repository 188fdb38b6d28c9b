"""The names of the generated cases, in the order in which they are told."""

# Cases of the same signal with too little traffic for the alert to speak, and with none.
THIN, IDLE = "thin", "idle"
# Cases in which series are interrupted: samples are missed, counters restart, series are there for the first time.
GAP, RESET, BORN = "gap", "reset", "born"
CASES = (
    "at-rest", "just-inside", "just-past", "levels", "blip", "between", "recovers", "identity", "no-data", GAP, RESET,
    BORN, THIN, IDLE,
)  # fmt: skip
