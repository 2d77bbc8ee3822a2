# SPDX-License-Identifier: MIT
"""Do the tests notice? `make mutate N=300 SEED=1 FILES="api/json/*.c"`; needs nothing but Python and make.

    mutate.py [--count N] [--seed N] [--part K/N] [--list] [--out FOLDER] [FILE...]

Each mutant is one small change to one line of engine/, api/ or server/: an operator exchanged, a
constant off by one, a condition negated, a statement left out, another value returned, a
comparison or an order changed in SQL. The choice is a function of the seed and of the sources. A copy
of what is committed is changed, built with MODE=mutant and tested, nearest tests first: the
test file named after the source, its suite, the suites above, the end-to-end tests; these come first
for what has no test file in server/. The first failing test ends it.

A mutant is caught, does not compile, changes no instruction (the compiler made the same of it), is
known to change nothing (mutate.known says why, keyed by file and changed line), or has survived:
then a test is missing, or the code is. Survivors are printed with their line. What is found is
appended to FOLDER/log as it comes, and a run with the same seed goes on where the last one stopped.

Limits exist only to end endless loops, and a busy machine does not move them: several times the
processor time of the suite's longest test, or a minute in which nothing runs or wants to.
"""

import argparse
import glob
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MAKE = ["make", "-s", "-j%d" % (os.cpu_count() or 1), "MODE=mutant"]
PROGRAMS = {suite: ["test_" + suite] for suite in ("engine", "api", "server")}
PROGRAMS["e2e"] = ["test_e2e", "mlpd", "mlpd-cli"]
SUITES = {  # which see a change of a layer, in order
    "engine": ["engine", "api", "server"],
    "api": ["api", "server"],
    "server": ["server"],
}
IDLE_SECONDS, IDLE_SHARE = 60, 0.02
TICK = 1 / os.sysconf("SC_CLK_TCK")

# ---- Reading C: comments and strings are blanked out, so that columns stay ----

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def code_of(source):
    code = TOKEN.sub(blank, source)
    return re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", blank, code, flags=re.M)


def body_spans(code):
    """Bodies of functions: braces that open at the start of a line and close there."""
    return [m.span(1) for m in re.finditer(r"^\{\n(.*?)^\}", code, re.S | re.M)]


def matching(code, at):
    """The position behind the parenthesis that closes the one at `at`."""
    depth = 0
    for i in range(at, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return i + 1
    return len(code)


# ---- Changes: each kind yields (start, end, replacement) ----

EXCHANGED = {
    "relation": {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="},
    "logic": {"&&": "||", "||": "&&"},
    "arithmetic": {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "<<": ">>", ">>": "<<", "&": "|", "|": "&"},
    "assignment": {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|="},
}


def exchange(kind):
    table = EXCHANGED[kind]
    # The layout tells a binary operator, which has a space on each side, from a unary one.
    operator = re.compile(r"(?<=[^\s]) (%s)(?= |\n)|^ *(%s) " % ((r"|".join(map(re.escape, table)),) * 2), re.M)

    def changes(code, _):
        for m in operator.finditer(code):
            which = 1 if m.group(1) else 2
            yield m.start(which), m.end(which), table[m.group(which)]

    return changes


def constants(code, _):
    for m in re.finditer(r"(?<![\w.])(\d+)(?![\w.])", code):
        number = int(m.group())
        yield m.start(), m.end(), str(number + 1)
        if number > 0:
            yield m.start(), m.end(), str(number - 1)


def negations(code, _):
    for m in re.finditer(r"\b(?:if|while) \(", code):
        end = matching(code, m.end() - 1)
        yield m.end() - 1, end, ("(!", ")")


def steps(code, _):
    for m in re.finditer(r"(\+\+|--)(?=[;)])", code):
        yield m.start(), m.end(), "--" if m.group() == "++" else "++"


def removals(code, _):
    """Calls and assignments that are statements of their own; declarations and assertions stay."""
    for m in re.finditer(r"^ +(?!BUG|return|goto|break|continue|case|default|if|for|while|do|else)"
                         r"((?:[\w.\->\[\]*&()]+)(?: [-+*/|&]?= [^;{}]*|\([^;{}]*\)|\+\+|--));", code, re.M):
        yield m.start(1), m.end(1), ""
    for m in re.finditer(r"\b(break|continue)(?=;)", code):
        yield m.start(), m.end(), "continue" if m.group() == "break" else "break"


def returns(code, _):
    for m in re.finditer(r"\breturn ([^;{}]+)(?=;)", code):
        value = m.group(1).strip()
        if value not in ("0", "NULL", "false"):
            yield m.start(1), m.end(1), "0"
        if value in ("0", "false"):
            yield m.start(1), m.end(1), "1"


def sql(code, source):
    """Comparisons, junctions and orders in the strings of statements."""
    table = {" < ": " <= ", " <= ": " < ", " > ": " >= ", " >= ": " > ", " = ": " <> ", " + ": " - ",
             " - ": " + ", " AND ": " OR ", " OR ": " AND ", " DESC": " ASC", "<": "<=", ">": ">="}
    for literal in re.finditer(r'"(?:\\.|[^"\\\n])*"', source):
        if not re.search(r"SELECT|UPDATE|DELETE|INSERT|WHERE|ORDER BY| AND | SET ", literal.group()):
            continue
        for m in re.finditer(r" (?:<=|>=|[<>=+-]) | AND | OR | DESC", literal.group()):
            at = literal.start() + m.start()
            yield at, at + len(m.group()), table[m.group()]


KINDS = {
    "relation": (exchange("relation"), 5),
    "logic": (exchange("logic"), 3),
    "arithmetic": (exchange("arithmetic"), 4),
    "assignment": (exchange("assignment"), 1),
    "constant": (constants, 4),
    "negation": (negations, 4),
    "step": (steps, 1),
    "removal": (removals, 4),
    "return": (returns, 3),
    "sql": (sql, 2),
}


def sites(file, source):
    """All changes to a file: {kind: [(file, start, end, replacement)]}, within functions."""
    code = code_of(source)
    bodies = body_spans(code)
    inside = lambda at: any(start <= at < end for start, end in bodies)
    found = {}
    for kind, (changes, _) in KINDS.items():
        found[kind] = [(file, start, end, text) for start, end, text in changes(code, source)
                       if (kind == "sql" and "/store" in file) or (kind != "sql" and inside(start))]
    return found


def choose(tree, files, count, seed):
    """A list of distinct changes; kinds by weight, places alike."""
    rng = random.Random(seed)
    pool = {kind: [] for kind in KINDS}
    for file in files:
        with open(os.path.join(tree, file)) as f:
            for kind, found in sites(file, f.read()).items():
                pool[kind] += found
    for places in pool.values():
        rng.shuffle(places)
    chosen = []
    while len(chosen) < count and any(pool.values()):
        kinds = [k for k in KINDS if pool[k]]
        kind = rng.choices(kinds, [KINDS[k][1] for k in kinds])[0]
        chosen.append((kind,) + pool[kind].pop())
    return chosen


def mutated(source, start, end, text):
    if isinstance(text, tuple):
        text = text[0] + source[start:end] + text[1]
    return source[:start] + text + source[end:]


def line_of(source, at):
    return source.count("\n", 0, at) + 1


def changed_line(source, start):
    begin = source.rfind("\n", 0, start) + 1
    end = source.find("\n", start)
    return source[begin:end].strip()


# ---- Building and testing ----


class Bench:
    """A copy of what is committed, with its own build folder."""

    def __init__(self, out):
        self.out = out
        self.tree = os.path.join(out, "tree")
        if not os.path.isdir(self.tree):
            os.makedirs(self.tree)
            archive = subprocess.Popen(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE)
            subprocess.run(["tar", "xf", "-", "-C", self.tree], stdin=archive.stdout, check=True)
        self.build = os.path.join(self.tree, "build", "mutant")
        self.undo = os.path.join(out, "undo")
        if os.path.exists(self.undo):
            self.restore()
        self.longest = {}  # processor seconds of a suite's longest test

    def change(self, file, source, text):
        """A file reads `text` from now on, until restore(), in whatever process that is called."""
        with open(self.undo, "w") as f:
            json.dump([file, source], f)
        with open(os.path.join(self.tree, file), "w") as f:
            f.write(text)

    def restore(self):
        with open(self.undo) as f:
            file, source = json.load(f)
        with open(os.path.join(self.tree, file), "w") as f:
            f.write(source)
        os.remove(self.undo)

    def make(self, *programs):
        goals = [os.path.join("build/mutant", p) for p in programs]
        return subprocess.run(MAKE + goals, cwd=self.tree, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def objects(self, file):
        """What the compiler made of a file, in all ways it is compiled."""
        digest = hashlib.sha256()
        name = file[:-2] + ".o"
        for path in (name, "wide/" + name):
            path = os.path.join(self.build, path)
            if os.path.exists(path):
                with open(path, "rb") as f:
                    digest.update(f.read())
        return digest.hexdigest()

    def measure(self):
        """The tests must pass without a change; how long the longest of them takes is kept."""
        kept = os.path.join(self.out, "longest")
        if os.path.exists(kept):
            with open(kept) as f:
                self.longest = json.load(f)
            return
        for suite in ("engine", "api", "server", "e2e"):
            passed, why = self.passes(suite)
            if not passed:
                sys.exit("mutate.py: the tests fail without a change: " + why)
        with open(kept, "w") as f:
            json.dump(self.longest, f)

    def passes(self, suite, only=""):
        """(whether all tests passed, what failed first)"""
        log = os.path.join(self.out, "tap")
        open(log, "w").close()
        program = os.path.join(self.build, "test_" + suite)
        environment = dict(os.environ, CK_FORK="no", CK_TAP_LOG_FILE_NAME=log)
        child = subprocess.Popen([program] + ([only] if only else []), cwd=self.tree, env=environment,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 start_new_session=True, preexec_fn=no_cores)
        failure, longest = watch(child, log, self.longest.get(suite))
        stop(child)
        self.longest.setdefault(suite, longest)
        if failure:
            return False, failure
        if child.returncode != 0:
            return False, "the program ended with status %d" % child.returncode
        return True, ""


def no_cores():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def used_by(session):
    """(processor seconds, those and the seconds of waiting for one) of all processes of a session."""
    used = waited = 0.0
    for path in glob.glob("/proc/[0-9]*"):
        try:
            with open(path + "/stat") as f:
                field = f.read().rpartition(")")[2].split()
            if int(field[3]) != session:
                continue
            used += sum(map(int, field[11:15])) * TICK  # with those of children that have ended
            for task in glob.glob(path + "/task/*/schedstat"):
                with open(task) as f:
                    waited += int(f.read().split()[1]) / 1e9
        except (OSError, IndexError):
            pass  # it has just ended
    return used, used + waited


def watch(child, log, longest):
    """Follow the log until the program ends, the first test has failed or nothing will come any more.

    (what failed or None, processor seconds of the longest test); `longest` is that of the sources
    as they are, None when this is them.
    """
    allowed = 5 + 5 * longest if longest is not None else float("inf")
    seen, record = 0, 0.0  # bytes of the log
    used = since = idle_since = 0.0
    idle_at = looked = time.monotonic()
    while True:
        ended = child.poll() is not None
        with open(log, "rb") as f:  # what a test quotes may be any bytes
            f.seek(seen)
            for line in f:
                if not line.endswith(b"\n"):
                    break
                seen += len(line)
                record, since = max(record, used - since), used
                if line.startswith(b"not ok"):
                    return line.decode(errors="replace").split(" - ", 1)[1].strip(), record
        if ended:
            return None, record
        if time.monotonic() - looked > 0.5:
            looked = time.monotonic()
            used, wanted = used_by(child.pid)
            if used - since > allowed:
                return "a loop does not end", record
            if abs(wanted - idle_since) > IDLE_SHARE * (looked - idle_at):
                idle_at, idle_since = looked, wanted
            if looked - idle_at > IDLE_SECONDS:
                return "it waits for ever", record
        time.sleep(0.02)


def stop(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def nearest(tree, file):
    """The test file named after a source, or after the beginning of its name."""
    layer, stem = file.split("/")[0], os.path.basename(file)[:-2]
    while stem:
        if os.path.exists(os.path.join(tree, "tests", layer, "test_%s.c" % stem)):
            return "test_%s" % stem
        stem = stem.rpartition("_")[0]
    return None


def fails_by_chance(bench, suite, why):
    """Whether the test that failed, far from the change, passes when it is run again."""
    test = re.search(r":all:(\w+):", why)
    return bool(test) and bench.passes(suite, test.group(1))[0]


def judge(bench, file, before):
    """(verdict, by what)"""
    suites = SUITES[file.split("/")[0]] + ["e2e"]
    first = nearest(bench.tree, file)
    if not first and suites[0] == "server":  # what no file tests is seen from outside
        suites.reverse()
    for suite in suites[:1] * bool(first) + suites:
        if not bench.make(*PROGRAMS[suite]):
            return "does not compile", ""
        if bench.objects(file) == before:
            return "same code", ""
        passed, why = bench.passes(suite, first or "")
        if not passed and not first and fails_by_chance(bench, suite, why):
            passed, why = bench.passes(suite)
        first = None  # once
        if not passed:
            return "caught", why
    return "survived", ""


# ---- What is known and what was found ----


def known():
    """{(file, changed line): reason} from mutate.known: file, line, reason, parted by tabs."""
    table = {}
    with open(os.path.join(ROOT, "tests", "mutate.known")) as f:
        for row in f:
            if row.strip() and not row.startswith("#"):
                file, line, reason = row.rstrip("\n").split("\t")
                table[file, line] = reason
    return table


def report(results):
    count = {}
    for verdict, _ in results:
        count[verdict] = count.get(verdict, 0) + 1
    print("\nmutants: " + ", ".join("%d %s" % (n, v) for v, n in sorted(count.items(), key=lambda x: -x[1])))
    for verdict, text in results:
        if verdict == "survived":
            print("  survived " + text)


def main():
    reader = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    reader.add_argument("--count", type=int, default=300)
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--part", default="1/1", help="every Nth from the Kth on, to run several at a time")
    reader.add_argument("--list", action="store_true", help="show the mutants and build nothing")
    reader.add_argument("--out", help="folder of the copy, default build/mutate-SEED-K")
    reader.add_argument("files", nargs="*", help="sources, default all of engine/, api/ and server/")
    asked = reader.parse_args()
    part, parts = map(int, asked.part.split("/"))
    os.chdir(ROOT)
    files = sorted(asked.files or glob.glob("engine/*/*.c") + glob.glob("api/*/*.c") + glob.glob("server/*/*.c") + ["server/main.c"])
    bench = None if asked.list else Bench(os.path.abspath(asked.out or "build/mutate-%d-%d" % (asked.seed, part)))
    tree = bench.tree if bench else ROOT
    mutants = choose(tree, files, asked.count, asked.seed)
    reasons = known()
    done = {}
    if bench:
        log = os.path.join(bench.out, "log")
        if os.path.exists(log):
            for row in open(log):
                number, verdict, text = row.rstrip("\n").split("\t")
                done[int(number)] = (verdict, text)
        if not bench.make(*sum(PROGRAMS.values(), [])):
            sys.exit("mutate.py: the sources do not build")
        bench.measure()
        before = {file: bench.objects(file) for file in files}
    for number, (kind, file, start, end, text) in enumerate(mutants, 1):
        if number in done or (number - part) % parts:
            continue
        with open(os.path.join(tree, file)) as f:
            source = f.read()
        change = mutated(source, start, end, text)
        line, old, new = line_of(source, start), changed_line(source, start), changed_line(change, start)
        where = "%s:%d %s: %s  ->  %s" % (file, line, kind, old, new)
        if not bench:
            print("%d %s" % (number, where))
            continue
        now = "without " + old if new == ";" else new
        if (file, now) in reasons:
            verdict, why = "known to change nothing", reasons[file, now]
        else:
            bench.change(file, source, change)
            verdict, why = judge(bench, file, before[file])
            bench.restore()
        done[number] = (verdict, where + (" [%s]" % why if why else ""))
        with open(log, "a") as f:
            f.write("%d\t%s\t%s\n" % (number, verdict, done[number][1].replace("\t", " ")))
        print("%d/%d %s: %s" % (number, len(mutants), verdict, done[number][1]), flush=True)
    if bench:
        report([done[n] for n in sorted(done)])


main()
