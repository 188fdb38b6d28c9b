"""The program's entry: `alertkit` and `python -m alertkit`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; `--version` alone answers before anything heavy is imported."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from alertkit import __version__

        print(f"alertkit {__version__}")
        return
    try:
        from alertkit.cli import run

        run()
    except KeyboardInterrupt:  # also while the imports still run
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
