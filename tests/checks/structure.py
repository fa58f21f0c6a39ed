#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""structure.py [ROOT] [--where NAME]: figures of the source tree, "structure NAME VALUE" a line; fails where one is worse than its limit.

--where NAME: the places a figure counts. The rooms and what each may include are read from CMakeLists.txt.
"""
import pathlib
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cpp_scan

# NAME: (limit, goal). A figure above its limit fails. Where the goal is not reached, the limit is what holds today: it may only fall.
CEILINGS = {
    "longest_function": (132, 60),
    "functions_over_60_lines": (1, 0),
    "public_functions_over_6_parameters": (16, 0),
    "median_function_length": (8, 8),
    "files_over_400_lines": (2, 0),
    "includes_not_left": (0, 0),
    "unlabelled_launches": (0, 0),
    # Public headers that no source and no test includes first: nothing shows that they compile alone.
    "headers_never_included_first": (8, 0),
}
# NAME: (limit, goal): lines of tests by lines of source, without benchmarks. A figure below its limit fails; the limit is what holds
# today, rounded down, and may only rise.
FLOORS = {
    "test_ratio": (0.52, 0.70),
    "test_ratio_core": (0.28, 0.50),
    "test_ratio_parallel": (0.47, 0.50),
    "test_ratio_io": (0.43, 0.50),
    "test_ratio_stimulus": (0.39, 0.50),
    "test_ratio_recording": (0.70, 0.70),
    "test_ratio_model": (0.30, 0.50),
    "test_ratio_training": (0.70, 0.70),
    "test_ratio_sweep": (0.55, 0.70),
    "test_ratio_attribution": (0.60, 0.70),
    "test_ratio_reduction": (0.62, 0.70),
    "test_ratio_pathway": (0.59, 0.70),
    "test_ratio_lesion": (0.43, 0.50),
    "test_ratio_drivers": (0.43, 0.50),
}


def rooms(root):
    """{room: the rooms it may include, itself among them}, in the order of CMakeLists.txt."""
    found = {}
    for name, rest in re.findall(r"^amacrine_room\((\w+)([^)]*)\)", (root / "CMakeLists.txt").read_text(encoding="utf-8"), re.MULTILINE):
        linked = re.search(r"\bROOMS((?: \w+)+?)(?: USES| *$)", rest)
        found[name] = {name}
        for left in linked[1].split() if linked else []:
            if left not in found:
                sys.exit(f"CMakeLists.txt: room {name} links to {left}, which is not to its left")
            found[name] |= found[left]
    if not found:
        sys.exit("CMakeLists.txt: no amacrine_room(...)")
    return found


def files(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in (".cpp", ".hpp"))


class Tree:
    def __init__(self, root):
        self.root, self.rooms = root, rooms(root)
        self.sources = {p: p.read_text(encoding="utf-8") for part in ("include", "src", "drivers") for p in files(root / part)}
        self.tests = {p: p.read_text(encoding="utf-8") for p in files(root / "tests") if "benchmark" not in p.relative_to(root).parts}
        self.functions = [f for p, text in self.sources.items() for f in cpp_scan.functions(str(p.relative_to(root)), text)]

    def room(self, path):
        """core ... lesion, drivers, or None: the room a source or test belongs to."""
        parts = path.relative_to(self.root).parts
        name = parts[0] if parts[0] == "drivers" else parts[2] if parts[0] == "include" else parts[1]
        return name if name in self.rooms or name == "drivers" else None

    def place(self, path, line):
        return f"{path.relative_to(self.root)}:{line}"

    def not_left(self):
        for path, text in self.sources.items():
            allowed = self.rooms.get(self.room(path), set(self.rooms))
            for number, line in enumerate(text.splitlines(), 1):
                include = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
                if not include:
                    continue
                public = re.match(r"amacrine/(\w+)/", include[1])
                inside = public is None and self.private(path, include[1])
                if public and public[1] not in allowed or public is None and not inside:
                    yield f"{self.place(path, number)}: {include[1]}"

    def private(self, path, name):
        """Whether a header that is not public lies in the folder of the source, or is made by the build."""
        found = next((p for p in (path.parent / name, self.root / name) if p.exists()), None)
        return found is None and "/" not in name or found is not None and found.resolve().parent == path.resolve().parent

    def unlabelled(self):
        for path, text in self.sources.items():
            for line, first in cpp_scan.launches(text):
                nested = re.match(r"(Kokkos :: )?Team|(Kokkos :: )?Thread", first)
                if not (first.startswith('"') or re.search(r"\blabel\b", first) or nested):
                    yield f"{self.place(path, line)}: {first}"

    def never_first(self):
        """Public headers that no source begins with: not itself, nor by the first line of what it begins with."""
        texts = {**self.sources, **self.tests}
        waiting, first = [p for p in texts if p.suffix == ".cpp"], set()
        while waiting:
            path = waiting.pop()
            include = re.search(r'^\s*#\s*include\s*[<"]([^>"]+)', texts.get(path, ""), re.MULTILINE)
            found = next((p for p in (self.root / "include" / include[1], path.parent / include[1]) if p in texts), None) if include else None
            if found and found not in first:
                first.add(found)
                waiting.append(found)
        return [str(p.relative_to(self.root)) for p in texts if p.is_relative_to(self.root / "include") and p not in first]

    def ratio(self, room=None):
        tests, source = (sum(text.count("\n") for p, text in part.items() if room is None or self.room(p) == room)
                         for part in (self.tests, self.sources))
        return tests / source if source else 1.0


def figures(tree):
    """{name: (value, places)}"""
    bodies = sorted((f for f in tree.functions if f.body), key=lambda f: -f.length)
    wide = [f for f in tree.functions if f.public and f.file.startswith("include/") and f.parameters > 6]
    long_files = [f"{p.relative_to(tree.root)}: {text.count(chr(10))}" for p, text in [*tree.sources.items(), *tree.tests.items()]
                  if text.count("\n") > 400]
    def described(f):
        return f"{f.file}:{f.line} {f.name}"
    def counted(places):
        places = list(places)
        return len(places), places
    found = {
        "functions": (len(bodies), []),
        "longest_function": (bodies[0].length, [described(bodies[0])]),
        "functions_over_60_lines": counted(f"{described(f)}: {f.length}" for f in bodies if f.length > 60),
        "public_functions_over_6_parameters": counted(f"{described(f)}: {f.parameters}" for f in wide),
        "median_function_length": (statistics.median(f.length for f in bodies), []),
        "files_over_400_lines": counted(long_files),
        "includes_not_left": counted(tree.not_left()),
        "unlabelled_launches": counted(tree.unlabelled()),
        "headers_never_included_first": counted(tree.never_first()),
        "test_ratio": (round(tree.ratio(), 3), []),
    }
    for room in [*tree.rooms, "drivers"]:
        found[f"test_ratio_{room}"] = round(tree.ratio(room), 3), []
    return found


def faults(found, ceilings, floors):
    """What is worse than its limit, with its places."""
    for name, (limit, goal) in ceilings.items():
        value, places = found[name]
        if not value <= limit:
            yield "\n  ".join([f"{name} is {value}, more than {limit} (the goal is {goal})", *places])
    for name, (limit, goal) in floors.items():
        value = found[name][0]
        if not value >= limit:
            yield f"{name} is {value}, less than {limit} (the goal is {goal}): add tests of what was added"


def main(arguments):
    where = arguments[arguments.index("--where") + 1] if "--where" in arguments else None
    root = pathlib.Path(arguments[0] if arguments and not arguments[0].startswith("-") else pathlib.Path(__file__).parents[2]).resolve()
    found = figures(Tree(root))
    if where:
        print("\n".join(found[where][1]))
        return 0
    for name, (value, places) in found.items():
        print("structure", name, value, *(places if name == "longest_function" else []))
    bad = list(faults(found, CEILINGS, FLOORS))
    print("\n".join(["", *bad]) if bad else "structure: every figure is within its limit")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
