"""What a program that times workloads takes, and what it prints, as in `protocol.rs`."""

import argparse
import statistics
import sys
import time


def run(workloads, description):
    """Times those of the workloads that the command line asks for: functions that make a step, by name."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(workloads))
    parser.add_argument("--seconds", type=float, default=4.0)
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in workloads:
            print(f"{name}: not here; there are {', '.join(workloads)}", file=sys.stderr)
    for name, make in workloads.items():
        if not arguments.names or name in arguments.names:
            measure(name, make(), arguments.seconds)


def measure(name, step, seconds):
    """Prints the median and the least time of a step, in milliseconds."""
    for _ in range(5):
        step()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e3)
    print(f"{name:24} {statistics.median(times):9.4f} {min(times):9.4f}", flush=True)
