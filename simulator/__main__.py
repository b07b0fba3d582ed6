"""Where the process begins: ``parksim`` and ``python -m simulator``."""

from __future__ import annotations

import sys

__all__ = ["main"]

INTERRUPTED = 105
"""ExitCode.INTERRUPTED, which may not have been imported yet."""


def main() -> None:
    """Run parksim and end the process with its exit code; Ctrl-C may come at any time, also amid imports."""
    try:
        from simulator.cli import main as run  # noqa: PLC0415 - its imports take time, in which Ctrl-C may come

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
