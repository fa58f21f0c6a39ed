#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""structure_test.py: structure.py finds nothing in a small tree that is sound, and each fault where one is put in."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cpp_scan
import structure

CEILINGS = {name: (goal, goal) for name, (_, goal) in structure.CEILINGS.items()}
FLOORS = {"test_ratio": (0.5, 0.5), "test_ratio_core": (0.5, 0.5), "test_ratio_drivers": (0.0, 0.0)}

SOUND = {
    "CMakeLists.txt": "amacrine_room(core USES fmt::fmt)\namacrine_room(io ROOMS core USES x)\namacrine_room(model KOKKOS ROOMS core)\n",
    "include/amacrine/core/sums.hpp": """#pragma once
#include <vector>
namespace amacrine::core {
/// Not seven, {, but "six": f(a, b, c, d, e, f, g) {
template <class S, int N = (3 > 2)>
S six(S a, S b, std::vector<std::pair<S, S>> c, S d = {1, 2}, int e = 4, const char* f = "1, 2) {");
namespace detail {
int seven_inside(int, int, int, int, int, int, int);
}
class Sum {
 public:
  Sum() : value_{1}, other_(R"({)") {}
  int operator()(int x) const { return x < 2 ? 1'000 : x; }
 private:
  int seven(int, int, int, int, int, int, int);
  int value_ = 0;
};
}  // namespace amacrine::core
""",
    "src/core/sums.cpp": '#include "amacrine/core/sums.hpp"\nint twice(int x) {\n  return 2 * x;\n}\n',
    "src/model/kernel.cpp": """#include "amacrine/core/sums.hpp"
#define OPEN(x) { \\
  x
void run(int n) {
  Kokkos::parallel_for("run", n, [](int i) { Kokkos::parallel_for(Kokkos::TeamThreadRange(i, 2), [] {}); });
  Kokkos::parallel_reduce(
      work.label, n, [](int) {});
}
""",
    "drivers/main.cpp": '#include "amacrine/model/none.hpp"\nint main() { return 0; }\n',
    "tests/core/sums_test.cpp": "// \n" * 20,
    "tests/benchmark/speed.cpp": "// \n" * 900,
}
STATEMENTS = "  f();\n"
# What is added to the sound tree, and which figure alone it must make worse.
BAD = [
    ("longest_function functions_over_60_lines", "src/core/long.cpp", "int f() {\n" + STATEMENTS * 60 + "}\n"),
    ("longest_function functions_over_60_lines", "src/core/long.cpp", "Sum::Sum(int x)\n    : a_{x},\n      b_(x) {\n" + STATEMENTS * 60 + "}\n"),
    ("public_functions_over_6_parameters headers_never_included_first", "include/amacrine/io/a.hpp", "struct A {\n  void f(int, int, S<int, int>, int, int, int, int = g(1, 2));\n};\n"),
    ("public_functions_over_6_parameters headers_never_included_first", "include/amacrine/io/a.hpp", "template <class T>\nA operator()(T, int, int, int, int, int, int) { return {}; }\n"),
    ("median_function_length", "src/io/many.cpp", ("int f() {\n" + STATEMENTS * 9 + "}\n") * 20),
    ("files_over_400_lines", "src/io/long.cpp", "// line\n" * 401),
    ("files_over_400_lines", "tests/io/long_test.cpp", "// line\n" * 401),
    ("includes_not_left", "src/core/right.cpp", '#include "amacrine/io/file.hpp"\n'),
    ("includes_not_left", "src/model/aside.cpp", '#include "amacrine/io/file.hpp"\n'),
    ("includes_not_left", "src/model/inside.cpp", '#include "src/core/hidden.hpp"\n'),
    ("includes_not_left", "src/model/inside.cpp", '#include "../core/hidden.hpp"\n'),
    ("unlabelled_launches", "src/model/launch.cpp", "void f() { Kokkos::parallel_for(Kokkos::RangePolicy<E>(0, 2), [](int) {}); }\n"),
    ("unlabelled_launches", "src/model/launch.cpp", "void f() { Kokkos::parallel_scan(\n      n, [](int) {}); }\n"),
    ("headers_never_included_first", "include/amacrine/io/later.hpp", '#include "amacrine/core/sums.hpp"\n'),
    ("test_ratio", "src/model/untested.cpp", "// line\n" * 300),
    ("test_ratio_core headers_never_included_first", "include/amacrine/core/untested.hpp", "// line\n" * 20),
]


def worse(extra):
    """The figures that are worse than their limit in the sound tree with these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**SOUND, **extra}.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        found = structure.figures(structure.Tree(pathlib.Path(folder).resolve()))
        return {fault.split()[0] for fault in structure.faults(found, CEILINGS, FLOORS)}


def names_and_parameters(text):
    return [(f.name, f.parameters, f.length, f.public) for f in cpp_scan.functions("a.cpp", text) if f.body]


def main():
    assert worse({}) == set(), worse({})
    for expected, name, text in BAD:
        tested = {"test_ratio": [], "test_ratio_core": ["model"]}.get(expected.split()[0], ["core"])
        filled = {f"tests/{room}/more_test.cpp": "// \n" * 390 for room in tested}
        found = worse({name: text, **filled})
        assert found == set(expected.split()), f"{name} makes {found} worse, not {expected}:\n{text[:200]}"
    untested = {name for names, _, _ in BAD for name in names.split()}
    assert untested >= set(CEILINGS), f"no bad tree for {set(CEILINGS) - untested}"
    assert names_and_parameters(SOUND["include/amacrine/core/sums.hpp"]) == [("Sum", 0, 1, True), ("operator()", 1, 1, True)]
    assert names_and_parameters("namespace {\nA f(B<(1 > 0), C> b, void (*g)(int, int))\n    noexcept {\n}\n}\n") == [("f", 2, 3, False)]
    assert names_and_parameters("bool operator<(A a, B b) {}\nauto x = [](int a) { return a; };\nstruct P { int q{3}; } p{1};\n") == [("operator<", 2, 1, True)]
    for broken in ("int f() {\n", "int f() }\n", "int f(\n"):
        try:
            cpp_scan.functions("broken.cpp", broken)
        except ValueError as fault:
            assert "broken.cpp: line " in str(fault), fault
        else:
            raise AssertionError(f"taken as sound: {broken}")
    print(f"structure: {len(BAD)} faults put into a small tree, each found and nothing else")


if __name__ == "__main__":
    main()
