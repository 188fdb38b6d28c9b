"""Plain promtool files: a project's own, and those of any repository."""
