"""`python -m bench [api|start|turn …] [--quick]`: measure, print, and write RESULTS.md."""

from __future__ import annotations

import argparse
import importlib
import sys

from bench.tables import write_section

NAMES = ("api", "turn", "start", "inbox", "bulk", "fanout", "replay", "gates", "follow_ups", "burst", "kill")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="short rounds, and RESULTS.md stays as it is")
    arguments = parser.parse_args()
    failed = False
    for name in arguments.names or NAMES:
        if name not in NAMES:
            parser.error(f"there is no benchmark '{name}'")
        benchmark = importlib.import_module(f"bench.{name}")
        if why := benchmark.unable():
            print(f"bench {name}: skipped, {why}.", file=sys.stderr)
            failed = True
            continue
        print(f"bench {name} ...", flush=True)
        body = benchmark.measure(arguments.quick)
        print(f"\n{body}\n", flush=True)
        if not arguments.quick:
            write_section(name, body, f"python -m bench {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
