"""A stand-in for the preview's worker: answers every request with itself."""

import sys

for line in sys.stdin:
    print(line, end="", flush=True)
