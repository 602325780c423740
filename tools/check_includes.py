#!/usr/bin/env python3
"""Checks who may include what: the ladder of docs/architecture.md, as a table.

Each folder under fettle/ may include its own headers, those of the rungs it uses (and what they
use), and third-party headers only in the files whose names say so. Exit code 1 and one line a
fault, otherwise silence.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# rung -> rungs it may use directly
USES = {
    "core": [],
    "search": ["core"],
    "network": ["core"],
    "primitives": ["core"],
    "runtime": ["core", "primitives"],
    "deploy": ["network", "runtime"],
    "device": ["runtime"],
    "database": ["core"],
    "cost_models": ["database", "search", "runtime"],
    "training": ["network", "deploy"],
    "tuner": ["search", "deploy", "device", "database", "cost_models", "training"],
}

# angle-bracket header prefix -> regular expression of the paths that may include it
THIRD_PARTY = {
    "gtest/": r"tests/.*",
    "gmock/": r"tests/.*",
    "google/protobuf/": r"(fettle/network/onnx|tests/support)/.*",
    "onnx/": r"(fettle/network/onnx|tests/support|tests/network/onnx)/.*",
    "oneapi/dnnl/": r"fettle/(primitives|training)/.*onednn.*",
    "cblas.h": r"fettle/(primitives|training)/.*openblas.*|fettle/network/linalg/.*",
    "lapacke.h": r"fettle/network/linalg/.*",
    "sqlite3.h": r"fettle/database/sqlite/.*",
    "nlohmann/": r"(fettle|tests)/.*json.*|(fettle|tests)/tuner/.*",
    "boost/program_options": r"fettle/tuner/cli/.*",
    "zlib.h": r"fettle/training/data/.*gzip.*",
    "jpeglib.h": r"(fettle|tests)/training/.*(libjpeg|image_data_test).*",
    "jerror.h": r"fettle/training/data/libjpeg.*",
    "png.h": r"(fettle|tests)/training/.*(libpng|image_data_test).*",
    "zip.h": r"(fettle|tests)/training/.*(libzip|image_data_test).*",
    "dnnl.h": r"fettle/training/.*onednn.*",
    "omp.h": r"fettle/core/threads\.cpp",
    "immintrin.h": r"(fettle/primitives/.*|tests/performance/peak\.cpp)",
}

# The operating system's headers, for what the standard library has no words for.
SYSTEM = re.compile(r"^(unistd|fcntl|malloc|signal|poll|sched|spawn|cpuid|sys/[a-z]+)\.h$")
SYSTEM_ALLOWED = r"(fettle/(core|device|database|tuner)|tests)/.*"

STANDARD = re.compile(r"^[a-z_]+$")  # <vector>, <cstdint>: no slash, no suffix
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def closure(rung):
    seen, waiting = set(), [rung]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += USES[current]
    return seen


def fault_of(path, rung, bracket, header):
    """Why this include is not allowed, or None."""
    if bracket == '"':
        if not (ROOT / header).is_file():
            return "no such header from the repository's root"
        top, _, rest = header.partition("/")
        if rung is None or top != "fettle":
            return None if rung is None else "library code may include only fettle/"
        other = rest.split("/")[0]
        return None if other in closure(rung) else f"{rung}/ may not use {other}/"
    if STANDARD.match(header):
        return None
    if SYSTEM.match(header):
        return None if re.fullmatch(SYSTEM_ALLOWED, path) else f"only for {SYSTEM_ALLOWED}"
    for prefix, allowed in THIRD_PARTY.items():
        if header.startswith(prefix):
            return None if re.fullmatch(allowed, path) else f"{prefix} is only for {allowed}"
    return "a third party that tools/check_includes.py does not know"


def main():
    faults = []
    for file in sorted([*ROOT.glob("fettle/**/*.[hc]*"), *ROOT.glob("tests/**/*.[hc]*")]):
        if file.suffix not in (".h", ".cpp"):
            continue
        path = file.relative_to(ROOT).as_posix()
        parts = path.split("/")
        rung = parts[1] if parts[0] == "fettle" else None
        if rung is not None and rung not in USES:
            faults.append(f"{path}: folder {rung}/ is not in the table")
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            fault = match and fault_of(path, rung, *match.groups())
            if fault:
                faults.append(f"{path}:{number}: {match.group(2)}: {fault}")
    print(*faults, sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
