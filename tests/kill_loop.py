# SPDX-License-Identifier: MIT
"""Kill the daemon again and again while clients use it: `make kill-loop N=100 SEED=1`.

    kill_loop.py MLPD [--rounds N] [--seed N]

Several clients at a time submit jobs (each with an Idempotency-Key, repeated until it is answered),
cancel them, look at them, predict, upload tables and delete them. They notice a death as clients do,
by a broken connection. A round ends with SIGKILL at a random moment, now and then while the daemon
is still starting, or after a SIGTERM that it has begun to obey; then a copy of the database is checked,
and the next round starts on the same folder.

What must hold, and ends the run when it does not: nothing acknowledged is lost; a key makes one
job; a job that was seen to have ended stays as it was; a cancel outlives the daemon that
promised it; a death after a SIGTERM counts against no job; a table holds the rows of the last upload that was acknowledged, or of one that
got no answer; every answer of a model is the same, to the byte; every job ends, by itself; every
succeeded one has published one model, with the weights that the same job always has; every file is what its name says.

The seed decides what clients do and when deaths come. What meets what is up to the machine.
"""

import argparse
import collections
import glob
import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENDED = ("succeeded", "failed", "cancelled")
JOBS_A_ROUND = 6  # of each submitter
FATAL_DEATHS = 3  # a job may be given up after so many

ROWS = "[[0,0],[0,1],[1,0],[1,1],[0,0],[0,1],[1,0],[1,1]]"
DEFINITIONS = [  # the same name is always the same job, so its models must all have the same weights
    '{"dataset":"iris","target":"species","name":"quick","training":{"epochs":3}}',
    '{"dataset":"iris","target":"species","name":"slow","training":{"epochs":120,"early_stopping":null}}',
    '{"dataset":"iris","target":"petal_width","name":"other","model":{"layers":[16]},"training":{"epochs":30}}',
    '{"name":"inline","data":{"x":%s,"y":[0,1,1,0,0,1,1,0]},"split":{"validation":0,"test":0},'
    '"model":{"layers":[8]},"training":{"epochs":20}}' % ROWS,
]
QUESTION = '{"model":"asked","instances":[[5.1,3.5,1.4,0.2],[6.1,2.8,4.7,null]]}'


class Broken(Exception):
    """A promise was broken."""


def must(condition, text, *values):
    if not condition:
        raise Broken(text % values)


class Daemon:
    def __init__(self, program):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="mlpd-kill-loop-")
        self.data = os.path.join(self.folder, "data")
        self.log = os.path.join(self.folder, "log")
        self.child, self.port = None, None

    def launch(self):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen([self.program, "--listen", "127.0.0.1:0", "--data", self.data, "--workers", "2"],
                                          stdout=subprocess.PIPE, stderr=log, text=True)

    def await_port(self):
        line = self.child.stdout.readline()
        must(line.startswith("listening on "), "the daemon did not start: %s", self.last_words())
        self.port = int(line.rsplit(":", 1)[1])

    def kill(self):
        self.port = None
        self.child.send_signal(signal.SIGKILL)
        status = self.child.wait()
        self.child.stdout.close()
        must(status == -signal.SIGKILL, "the daemon ended by itself, status %d: %s", status, self.last_words())

    def cut_stop(self, patience):
        """A supervisor without patience. The stop may come to its end first."""
        self.port = None
        self.child.terminate()
        while not os.path.exists(os.path.join(self.data, "mlpd.stopped")) and self.child.poll() is None:
            time.sleep(0.001)
        time.sleep(patience)
        self.child.send_signal(signal.SIGKILL)
        status = self.child.wait()
        self.child.stdout.close()
        must(status in (0, -signal.SIGKILL), "SIGTERM, SIGKILL: status %d: %s", status, self.last_words())
        return status != 0

    def stop(self):
        self.port = None
        self.child.terminate()
        must(self.child.wait() == 0, "SIGTERM: status %d: %s", self.child.returncode, self.last_words())

    def last_words(self):
        with open(self.log) as log:
            return log.read()[-2000:]


class World:
    """What the clients know together."""

    def __init__(self, daemon, seed):
        self.daemon, self.seed = daemon, seed
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.fault = None
        self.quota = collections.Counter()  # of new jobs, by submitter
        self.definition = {}  # by key
        self.job = {}  # by key: the id that was acknowledged
        self.ended = {}  # by id: the state in which it was seen to have ended
        self.cancelled = {}  # by id: the life of the daemon that promised the cancel
        self.excused = None  # after a stop: how many deaths each job has, which the next start must not raise
        self.deaths = []  # when, in seconds of the clock that the daemon writes down, too
        self.seen = collections.Counter()
        self.answer = None  # of the model "asked"

    def jobs(self):
        with self.lock:
            return list(self.job.values())

    def saw(self, job, before):
        """A job as a reply shows it; `before` is how it was known to have ended when that was asked for."""
        state = job["status"]
        with self.lock:
            if state in ENDED:
                before = before or self.ended.setdefault(job["id"], state)
        must(before in (None, state), "job %d was %s and is %s", job["id"], before, state)


class Client(threading.Thread):
    """One connection, one random sequence. Each kind does one thing in step()."""

    def __init__(self, world, number):
        super().__init__(daemon=True)
        self.world, self.number = world, number
        self.random = random.Random("%d %s %d" % (world.seed, type(self).__name__, number))
        self.connection = None

    def run(self):
        try:
            while not self.world.over.is_set():
                self.step()
                time.sleep(self.random.uniform(0, 0.03))
        except Exception as fault:  # whatever it is, the run must not go on without this client
            self.world.fault = self.world.fault or fault
            self.world.over.set()

    def ask(self, method, path, body=None, headers=None):
        """(status, bytes), or None when the connection broke: then nobody knows what was done."""
        port = self.world.daemon.port
        if port is None:
            time.sleep(0.01)
            return None
        try:
            if self.connection is None or self.connection.port != port:
                self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
            self.connection.request(method, path, body, headers or {})
            reply = self.connection.getresponse()
            status, text = reply.status, reply.read()
        except (OSError, http.client.HTTPException):
            self.connection = None
            self.world.seen["broken connections"] += 1
            return None
        must(status < 500 or status == 503, "%s %s: %d %s", method, path, status, text)
        return (status, text) if status != 503 else None


class Submitter(Client):
    """Every key is repeated until it has an answer, and some of them once more later."""

    def step(self):
        key = self.take()
        if not key:
            return
        answer, before = None, self.world.ended.get(self.world.job.get(key))
        while not answer and not self.world.fault:
            answer = self.ask("POST", "/jobs", self.world.definition[key], {"Idempotency-Key": key})
        if not answer:
            return
        must(answer[0] in (200, 201), "POST /jobs with %s: %s", key, answer)
        job = json.loads(answer[1])
        with self.world.lock:
            first = self.world.job.setdefault(key, job["id"])
        must(first == job["id"], "%s made job %d and job %d", key, first, job["id"])
        self.world.saw(job, before)
        self.world.seen["jobs" if answer[0] == 201 else "keys repeated"] += 1

    def take(self):
        w = self.world
        with w.lock:
            if w.quota[self.number]:
                w.quota[self.number] -= 1
                key = "%d-%d" % (self.number, len(w.definition))
                w.definition[key] = self.random.choice(DEFINITIONS)
                return key
            return self.random.choice(list(w.job)) if w.job else None


def cancel(client, job):
    w = client.world
    before, life = w.ended.get(job), len(w.deaths)
    answer = client.ask("POST", "/jobs/%d/cancel" % job)
    if answer:
        must(answer[0] in (202, 409), "cancel of job %d: %s", job, answer)
        if answer[0] == 202:
            w.saw(json.loads(answer[1]), before)
            if life == len(w.deaths):
                w.cancelled.setdefault(job, life)
            w.seen["cancels"] += 1


class Canceller(Client):
    def step(self):
        jobs = self.world.jobs()[-20:]
        if not jobs or self.random.random() < 0.5:
            return
        job = self.random.choice(jobs)
        cancel(self, job)


class Observer(Client):
    """Looks at jobs, old and new: each is there, and those that ended stay as they were."""

    def step(self):
        jobs = self.world.jobs()
        if not jobs:
            return
        job = self.random.choice(jobs)
        before = self.world.ended.get(job)
        answer = self.ask("GET", "/jobs/%d" % job)
        if not answer:
            return
        must(answer[0] == 200, "job %d is lost: %s", job, answer)
        shown = json.loads(answer[1])
        self.world.saw(shown, before)
        if shown["model"]:
            model = self.ask("GET", "/models/%(name)s?version=%(version)d" % shown["model"])
            must(not model or model[0] == 200, "the model of job %d is lost: %s", job, model)


class Asker(Client):
    def step(self):
        answer = self.ask("POST", "/predict", QUESTION)
        if answer:
            must(answer == self.world.answer, "an answer changed: %s, %s", self.world.answer, answer)
            self.world.seen["predictions"] += 1


class Keeper(Client):
    """Uploads and deletes a table of its own. `may` is what it may be now: a number of rows, or None."""

    def __init__(self, world, number):
        super().__init__(world, number)
        self.name, self.may = "kept-%d" % number, {None}

    def step(self):
        choice = self.random.random()
        if choice < 0.4:
            self.upload()
        elif choice < 0.6:
            self.delete()
        else:
            self.look()

    def upload(self):
        rows = self.random.randint(1, 3000)
        table = "a,b\n" + "".join("%d,%d\n" % (i, i * rows) for i in range(rows))
        self.may.add(rows)
        answer = self.ask("POST", "/datasets?name=" + self.name, table)
        if answer:
            must(answer[0] == 201, "upload: %s", answer)
            self.may = {rows}
            self.world.seen["uploads"] += 1

    def delete(self):
        before = set(self.may)
        self.may.add(None)
        answer = self.ask("DELETE", "/datasets/" + self.name)
        if answer:
            must(answer[0] == 204 or (answer[0] == 404 and None in before), "delete: %s, may be %s", answer, before)
            self.may = {None}
            self.world.seen["deletes"] += 1

    def look(self):
        answer = self.ask("GET", "/datasets/" + self.name)
        if answer:
            rows = json.loads(answer[1])["rows"] if answer[0] == 200 else None
            must(answer[0] in (200, 404) and rows in self.may, "%s has %s rows and may have %s", self.name, rows, self.may)
            self.may = {rows}


def ask_until(client, *request, wanted):
    while True:
        answer = client.ask(*request)
        if answer:
            must(answer[0] == wanted, "%s: %s", request, answer)
            return answer


def wait_end(client, job):
    """A job that has ended; a quarter of an hour in which it does not is for ever."""
    deadline = time.monotonic() + 900
    while True:
        shown = json.loads(ask_until(client, "GET", "/jobs/%d" % job, wanted=200)[1])
        client.world.saw(shown, client.world.ended.get(job))
        if shown["status"] in ENDED:
            return shown
        must(time.monotonic() < deadline, "job %d does not end: %s", job, shown)
        time.sleep(0.02)


def prepare(client):
    """A table to train on and a model to ask."""
    with open(os.path.join(ROOT, "tests/data/iris_train.csv"), "rb") as f:
        ask_until(client, "POST", "/datasets?name=iris", f.read(), wanted=201)
    job = json.loads(ask_until(client, "POST", "/jobs", '{"dataset":"iris","target":"species","name":"asked",'
                               '"training":{"epochs":5}}', wanted=201)[1])
    wait_end(client, job["id"])
    client.world.answer = ask_until(client, "POST", "/predict", QUESTION, wanted=200)


def look_at_database(daemon):
    """Of a copy, made while no daemon runs: one file is written by one program only."""
    with tempfile.TemporaryDirectory(prefix="mlpd-kill-copy-") as copy:
        for path in glob.glob(os.path.join(daemon.data, "mlpd.db*")):
            if not path.endswith("-shm"):
                shutil.copy(path, copy)
        db = sqlite3.connect(os.path.join(copy, "mlpd.db"))
        found = [row[0] for row in db.execute("PRAGMA integrity_check")] + list(db.execute("PRAGMA foreign_key_check"))
        must(found == ["ok"], "the database is damaged: %s", found)
        models = db.execute("SELECT name, version, job_id, digest FROM models").fetchall()
        jobs = dict(db.execute("SELECT id, idem_key FROM jobs").fetchall())
        deaths = dict(db.execute("SELECT id, deaths FROM jobs").fetchall())
        tables = db.execute("SELECT digest FROM datasets UNION SELECT digest FROM jobs WHERE dataset IS NULL").fetchall()
        db.close()
    return models, {row[0] for row in tables}, jobs, deaths


def look_at_files(daemon, models, tables):
    must(not os.listdir(os.path.join(daemon.data, "tmp")), "tmp is not empty")
    files = glob.glob(os.path.join(daemon.data, "models", "*"))
    named = {os.path.basename(path).split(".")[0]: path for path in files}
    must(set(named) >= {row[3] for row in models}, "a model has no file")
    for digest, path in named.items():
        with open(path, "rb") as f:
            must(hashlib.sha256(f.read()).hexdigest() == digest, "%s is not what its name says", path)
    kept = {os.path.basename(path).split(".")[0] for path in glob.glob(os.path.join(daemon.data, "datasets", "*"))}
    must(kept <= tables, "tables that nobody knows: %s", kept - tables)


def died_between(world, job, end):
    """Whether the daemon died between the cancel of a job and its end."""
    life = world.cancelled.get(job, len(world.deaths))
    return life < len(world.deaths) and world.deaths[life] < end


def look_at_jobs(client):
    """Every job has ended; how many in which state, and which have models."""
    w = client.world
    states, published = collections.Counter(), {}
    must(set(w.job) == set(w.definition), "keys without an answer: %s", set(w.definition) - set(w.job))
    for job in w.jobs():
        shown = wait_end(client, job)
        states[shown["status"]] += 1
        must((shown["model"] is not None) == (shown["status"] == "succeeded"), "job %s", shown)
        must(shown["status"] != "failed" or shown["deaths"] >= FATAL_DEATHS, "job %d failed: %s", job, shown["error"])
        must(shown["status"] == "cancelled" or not died_between(w, job, shown["finished_at"]),
             "the cancel of job %d was forgotten: %s", job, shown["status"])
        if shown["model"]:
            published[job] = shown["model"]["name"], shown["model"]["version"]
    return states, published


def look_at_models(models, published):
    by_job = {job: (name, version) for name, version, job, _ in models if name != "asked"}
    must(by_job == published, "published, but not by jobs that say so: %s", set(by_job.items()) ^ set(published.items()))
    for wanted in {name for name, _, _, _ in models}:
        mine = sorted(row[1:] for row in models if row[0] == wanted)
        must([row[0] for row in mine] == list(range(1, len(mine) + 1)), "versions of %s: %s", wanted, mine)
        must(len({row[2] for row in mine}) == 1, "the same job made different weights: %s", mine)


def cancel_what_runs(client):
    """The last moment of a life: a worker has no time to notice."""
    answer = client.ask("GET", "/jobs?status=running")
    for job in json.loads(answer[1])["data"] if answer else []:
        cancel(client, job["id"])


def round_of(client, dice):
    """A life of the daemon and its end."""
    world, daemon = client.world, client.world.daemon
    with world.lock:
        world.quota.update({0: JOBS_A_ROUND, 1: JOBS_A_ROUND, 2: JOBS_A_ROUND})
    daemon.launch()
    if dice.random() < 0.2:
        time.sleep(dice.uniform(0, 0.15))
        world.seen["deaths at the start"] += 1
    else:
        daemon.await_port()
        world.over.wait(dice.uniform(0, 1.2))
        if dice.random() < 0.3:
            cancel_what_runs(client)
    told = daemon.port and dice.random() < 0.25
    if told:
        world.seen["stops that were cut off"] += daemon.cut_stop(dice.uniform(0, 0.03))
    else:
        daemon.kill()
    world.deaths.append(time.time())
    deaths = look_at_database(daemon)[3]
    for job, count in (world.excused or {}).items():
        must(deaths[job] == count, "a death after SIGTERM counted against job %d", job)
    world.excused = deaths if told else None


def run(daemon, rounds, seed):
    world = World(daemon, seed)
    dice = random.Random(seed)
    main = Client(world, 0)
    daemon.launch()
    daemon.await_port()
    prepare(main)
    daemon.kill()
    clients = [kind(world, n) for kind, count in ((Submitter, 3), (Canceller, 1), (Observer, 2), (Asker, 1), (Keeper, 2))
               for n in range(count)]
    for client in clients:
        client.start()
    for n in range(1, rounds + 1):
        round_of(main, dice)
        if world.fault:
            raise world.fault
        if n % 10 == 0:
            print("  %d deaths, %d jobs, %d of them ended" % (n, len(world.job), len(world.ended)), flush=True)
    daemon.launch()
    daemon.await_port()
    world.over.set()
    for client in clients:
        client.join()
    if world.fault:
        raise world.fault
    for client in clients:
        if isinstance(client, Keeper):
            client.look()
    states, published = look_at_jobs(main)
    daemon.stop()
    models, tables, jobs, _ = look_at_database(daemon)
    made = {key: job for job, key in jobs.items() if key}
    must(made == world.job and len(jobs) == len(made) + 1, "%d keys made %d jobs", len(world.job), len(jobs) - 1)
    look_at_models(models, published)
    look_at_files(daemon, models, tables)
    print("  " + ", ".join("%d %s" % (n, what) for what, n in sorted(world.seen.items())))
    print("  jobs: " + ", ".join("%d %s" % (n, state) for state, n in sorted(states.items())))


def main():
    reader = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    reader.add_argument("program")
    reader.add_argument("--rounds", type=int, default=100)
    reader.add_argument("--seed", type=int, default=int(time.time()))
    asked = reader.parse_args()
    print("kill loop: %d rounds, seed %d" % (asked.rounds, asked.seed), flush=True)
    daemon = Daemon(os.path.abspath(asked.program))
    try:
        run(daemon, asked.rounds, asked.seed)
    except Broken as fault:
        sys.exit("kill loop: FAILED with seed %d: %s\n  left: %s" % (asked.seed, fault, daemon.folder))
    finally:
        if daemon.child and daemon.child.poll() is None:
            daemon.child.kill()
    shutil.rmtree(daemon.folder)
    print("kill loop: nothing lost, nothing twice")


main()
