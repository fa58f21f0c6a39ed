#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""advice.py [--list]: every message of the program that tells a user to do something has a test that does it.

Reads the texts in src/ and drivers/ and tests/cases/advice.tsv, whose lines are: a piece of the message, a tab, the file of the test, a
tab, text that stands in that file where the advice is taken. "-" instead of a file: no test takes it, and why. Fails for an advising message without a line, for a line without a
message, and for a test that is not there. --list prints the advising messages and where they are.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests/cases/advice.tsv"
VERBS = ("set|give|lower|raise|use|name|choose|mend|leave|cut|crop|run|train|write|pass|remove|delete|move|copy|install|check|shift|"
         "divide|resample|record|rename|wait|start|close|make|spell|sort|add|put|try|shorten|correct|free|ask|point|repair|reduce|"
         "increase|take|start|select|begin|stop|end|split|replace|transpose|decompress|convert")
# A verb at the start of a sentence or clause, an option, or a suggestion.
ADVICE = re.compile(rf"(?:(?:^|[:;,.!?]\s|\(|\bor |\band |\bto (?:probe|attribute) it )(?:{VERBS})\b(?!:|/|\s*$| \{{\}}| of\b| end\b| short:| ln$))|did you mean|--overwrite|--takeover|run `|nearest",
                    re.IGNORECASE)
TEXT = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


def messages(source):
    """(line, text) of the texts in a source; neighbours on successive lines are one."""
    code = re.sub(r"^\s*(?:///?|#include).*$|(?<=[;{})])\s*//.*$", "", source, flags=re.MULTILINE)
    found, end = [], -1
    for match in TEXT.finditer(code):
        text = match[1].replace('\\"', '"').replace("\\n", "\n")
        if found and not code[end:match.start()].strip():
            found[-1] = (found[-1][0], found[-1][1] + text)
        else:
            found.append((code.count("\n", 0, match.start()) + 1, text))
        end = match.end()
    return found


def advising():
    for path in sorted([*ROOT.glob("src/**/*.[ch]pp"), *ROOT.glob("drivers/*.[ch]pp"), *ROOT.glob("include/**/*.hpp")]):
        for line, text in messages(path.read_text(encoding="utf-8")):
            if " " in text and ADVICE.search(text):
                yield f"{path.relative_to(ROOT)}:{line}", text


def main():
    found = list(advising())
    if "--list" in sys.argv:
        for place, text in found:
            print(place, text, sep="\t")
        return 0
    rows = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    faults = [f"{TABLE.name}: expected three columns: {row}" for row in rows if len(row) != 3]
    rows = [row for row in rows if len(row) == 3]
    for place, text in found:
        if not any(row[0] in text for row in rows):
            faults.append(f"{place}: no test takes the advice of: {text}")
    for piece, test, mark in rows:
        if not any(piece in text for _, text in found):
            faults.append(f"{TABLE.name}: no message says: {piece}")
        if test == "-":
            continue
        if not (ROOT / test).is_file() or mark not in (ROOT / test).read_text(encoding="utf-8"):
            faults.append(f"{TABLE.name}: {test} does not hold: {mark}")
    print("\n".join(faults) if faults else f"advice: {len(found)} texts; {sum(row[1] != '-' for row in rows)} tests do what they say, "
          f"{sum(row[1] == '-' for row in rows)} have none (advice.tsv says why)")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
