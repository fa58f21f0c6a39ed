#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges the tests by small faults. Every line of mutations.tsv is one fault: a text that occurs exactly once in the sources, the text put
in its place, and what must fail then. In a copy of the tree with a build folder of its own each fault is put in, what judges it is built and
run, and the fault is taken out again.

noticed          the judge fails, or does not end
missed           the judge passes: a test is missing
did not compile  the compiler refuses the fault: it says nothing about the tests, and is an error of mutations.tsv
no judge         what must fail fails without the fault, too, or finds no test: the same

Ends with the line `mutations NOTICED TRIED`; 0 where all tried were noticed, else 1."""
import argparse
import fnmatch
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FOLDERS = ("src", "include", "drivers", "analysis")
TIMEOUT_S = 120
BUILD_TIMEOUT_S = 1800


class Mutation:
    """One line of mutations.tsv: name, old text, new text, judge. A line break is written \\n."""

    def __init__(self, number, line):
        fields = line.split("\t")
        if len(fields) != 4:
            sys.exit(f"mutations.tsv, line {number}: expected 4 fields between tabs (name, old, new, judge), but there are {len(fields)}")
        self.name, self.judge = fields[0], fields[3]
        self.old, self.new = (text.replace("\\n", "\n") for text in fields[1:3])
        self.file = self.room = self.line = None

    def find(self, sources):
        """Sets where the old text stands. Returns what is wrong with it, empty where nothing is."""
        places = [(path, text.count(self.old)) for path, text in sources.items() if self.old in text]
        if self.old == self.new:
            return "old and new text are the same"
        if sum(count for _, count in places) != 1:
            found = ", ".join(f"{path} ({count})" for path, count in places) or "nowhere"
            return f"the old text must occur exactly once under {', '.join(FOLDERS)}, but occurs: {found}"
        self.file = places[0][0]
        parts = self.file.split("/")
        self.room = parts[1] if parts[0] == "src" else parts[2] if parts[0] == "include" else parts[0]
        self.line = sources[self.file][:sources[self.file].index(self.old)].count("\n") + 1
        return ""


def read_mutations():
    lines = (HERE / "mutations.tsv").read_text().splitlines()
    mutations = [Mutation(number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]
    names = [m.name for m in mutations]
    for name in names:
        if names.count(name) > 1:
            sys.exit(f"mutations.tsv: the name {name} is there twice")
    return mutations


def read_sources():
    return {str(path.relative_to(ROOT)): path.read_text() for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))
            if path.suffix in (".cpp", ".hpp", ".py")}


def run(command, folder, timeout, environment):
    """(ended well, all it printed, whether it ended at all)."""
    job = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           errors="replace", start_new_session=True)
    try:
        text, _ = job.communicate(timeout=timeout)
        return job.returncode == 0, text, True
    except subprocess.TimeoutExpired:
        os.killpg(job.pid, 9)
        text, _ = job.communicate()
        return False, text, False


class Workshop:
    """A copy of the tree in which faults are made, and its build."""

    def __init__(self, folder, preset):
        self.folder, self.preset = folder, preset
        self.build = folder / "build" / preset
        self.faults = {}
        self.environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_PROC_BIND="false",
                                OMP_WAIT_POLICY="passive", OMPI_MCA_rmaps_base_oversubscribe="1", HDF5_USE_FILE_LOCKING="FALSE",
                                AMACRINE_TEST_DATA=str(folder / "tests/data"), AMACRINE_PROGRAM=str(self.build / "amacrine"))
        self.environment.setdefault("OMP_NUM_THREADS", "2")

    def copy(self):
        """The tracked files and those git does not ignore, as they are now; unchanged ones keep their times, so that little is built."""
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True)
        wanted = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
        for name in wanted:
            target = self.folder / name
            if target.exists() and target.read_bytes() == (ROOT / name).read_bytes():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        for folder in (*FOLDERS, "tests", "cmake"):
            for path in (self.folder / folder).rglob("*"):
                if path.is_file() and str(path.relative_to(self.folder)) not in wanted:
                    path.unlink()
        if (ROOT / ".deps").exists() and not (self.folder / ".deps").exists():
            (self.folder / ".deps").symlink_to(ROOT / ".deps")

    def configure(self):
        command = ["cmake", "--preset", self.preset]
        if shutil.which("ccache"):
            command.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
        well, text, _ = run(command, self.folder, BUILD_TIMEOUT_S, self.environment)
        if not well:
            sys.exit(f"{text}\nthe copy in {self.folder} cannot be configured")

    def target(self, judge):
        """What must be built for a judge: a test program, amacrine, or nothing."""
        words = judge.split()
        if words[0] == "analysis":
            return None
        return "amacrine" if words[0] == "verbs" else words[1] if words[0].startswith("ranks=") else words[0]

    def command(self, judge):
        """`PROGRAM FILTER`, `ranks=N PROGRAM FILTER`, `analysis` (report_test.py) or `verbs` (verbs_test.py)."""
        words = judge.split()
        if words[0] == "analysis":
            return ["bash", "-c", '"$(jobs/python.sh)" tests/checks/report_test.py']
        if words[0] == "verbs":
            return ["tests/checks/verbs.sh", str(self.build / "amacrine")]
        ranks = int(words[0][6:]) if words[0].startswith("ranks=") else 0
        program, tests = words[1:] if ranks else words
        return (["mpiexec", "-n", str(ranks), "--bind-to", "none"] if ranks else []) + [str(self.build / "tests" / program), f"--gtest_filter={tests}"]

    def make(self, judge):
        target = self.target(judge)
        return (True, "") if target is None else run(["cmake", "--build", str(self.build), "--target", target], self.folder, BUILD_TIMEOUT_S,
                                                     self.environment)[:2]

    def fault_of(self, judge):
        """What a judge says without any fault, empty where it passes: one that fails then would notice everything."""
        if judge not in self.faults:
            well, text = self.make(judge)
            if well:
                well, text, _ = run(self.command(judge), self.folder, TIMEOUT_S, self.environment)
            self.faults[judge] = "" if well else text + "\nit failed"
        return self.faults[judge]

    def judge(self, mutation):
        """(verdict, output)."""
        if fault := self.fault_of(mutation.judge):
            return "no judge", fault
        path = self.folder / mutation.file
        whole = path.read_text()
        try:
            path.write_text(whole.replace(mutation.old, mutation.new))
            built, text = self.make(mutation.judge)
            if not built:
                return "did not compile", text
            well, text, ended = run(self.command(mutation.judge), self.folder, TIMEOUT_S, self.environment)
            return ("missed" if well else "noticed" if ended else "noticed (no end)"), text
        finally:
            path.write_text(whole)


def arguments():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="patterns of names (shell style): only these; none: all")
    parser.add_argument("--room", action="append", default=[], help="only mutations of this room, drivers or analysis; may be given again")
    parser.add_argument("--check", action="store_true", help="only check that every old text occurs exactly once; builds nothing")
    parser.add_argument("--list", action="store_true", help="only list what would be tried")
    parser.add_argument("--show", action="store_true", help="print what the judges print")
    parser.add_argument("--preset", default="openmp", help="CMake preset of the build (default: openmp)")
    parser.add_argument("--scratch", type=pathlib.Path, default=ROOT / "build" / "mutations", help="folder of the copy (default: build/mutations)")
    return parser.parse_args()


def main():
    options = arguments()
    mutations, sources = read_mutations(), read_sources()
    faults = [f"mutations.tsv: {m.name}: {fault}" for m in mutations if (fault := m.find(sources))]
    if faults:
        sys.exit("\n".join(faults))
    if options.check:
        print(f"{len(mutations)} mutations: every old text occurs exactly once")
        return 0
    chosen = [m for m in mutations if (not options.names or any(fnmatch.fnmatch(m.name, n) for n in options.names))
              and (not options.room or m.room in options.room)]
    if not chosen:
        sys.exit(f"no mutation fits; names are {', '.join(m.name for m in mutations)}")
    if options.list:
        for m in chosen:
            print(f"{m.name}\t{m.file}:{m.line}\t{m.judge}")
        return 0
    workshop = Workshop(options.scratch.resolve(), options.preset)
    workshop.copy()
    workshop.configure()
    verdicts = []
    for m in chosen:
        start = time.monotonic()
        verdict, text = workshop.judge(m)
        verdicts.append(verdict)
        if options.show or verdict in ("did not compile", "no judge"):
            print(text[-4000:])
        print(f"| {m.name} | {m.file}:{m.line} | {verdict} | {time.monotonic() - start:.0f} s | {m.judge} |", flush=True)
    noticed = sum(v.startswith("noticed") for v in verdicts)
    print(f"mutations {noticed} {len(verdicts)}")
    return 0 if noticed == len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
