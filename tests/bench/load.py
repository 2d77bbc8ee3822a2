# SPDX-License-Identifier: MIT
"""How long others wait while a daemon does its heaviest work: `make bench-load`.

    load.py MLPD [MEGABYTES [SECONDS]]

Starts a daemon on a port of its own with a table of MEGABYTES (default 300) and a job of 10,000
epochs, then asks /healthz and /predict on 16 kept connections each while nothing else happens, and
again while all of this does, over and over: a job on the large table (checked, queued, trained,
cancelled), a score on it, an upload of a third of it, four readers of the long job's curve and
diagnosis. Prints the waits' median, 99th percentile and maximum. Everything runs on this machine,
so the clients compete with the daemon for its cores; refusals (503) are counted, not hidden.
"""

import http.client
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time

ROW = {"a": 1, "b": 0.5, "c": 3, "d": 4.5, "e": 0.2}


def table(megabytes):
    rows = b"".join(b"%d,%f,%d,%f,%f,%d\n" % (i, i * 0.37, i % 17, (i * 7919 % 1000) / 3, i % 5 * 0.1, i % 2)
                    for i in range(40000))
    return b"a,b,c,d,e,y\n" + rows * max(1, megabytes * 1024 * 1024 // len(rows))


def ask(connection, method, path, body=None):
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer.status, answer.read()


class Client:
    """One request at a time, on a connection that is made again when it was closed."""

    def __init__(self, port):
        self.port, self.connection = port, None

    def ask(self, method, path, body=None):
        if isinstance(body, dict):
            body = json.dumps(body)
        for _ in range(3):
            try:
                self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
                return ask(self.connection, method, path, body)
            except (OSError, http.client.HTTPException):
                self.connection = None
        raise SystemExit("load.py: the daemon does not answer")


def job(client, definition):
    while True:
        status, text = client.ask("POST", "/jobs", definition)
        if status != 503:
            return json.loads(text).get("id")
        time.sleep(0.2)


def wait_for(client, id):
    while json.loads(client.ask("GET", f"/jobs/{id}")[1])["status"] in ("queued", "running"):
        time.sleep(0.1)


def probe(port, seconds, path, body, waits):
    """Ask over 16 connections in turn, from a process of its own."""
    clients = [Client(port) for _ in range(16)]
    end, mine = time.monotonic() + seconds, []
    while time.monotonic() < end:
        for c in clients:
            start = time.monotonic()
            status, _ = c.ask("POST" if body else "GET", path, body)
            mine.append((time.monotonic() - start, status))
            time.sleep(0.002)
    waits.put((path, mine))


def measure(port, seconds):
    waits = multiprocessing.Queue()
    probes = [("/healthz", None), ("/predict", {"model": "small", "instances": [ROW]})]
    started = [multiprocessing.Process(target=probe, args=(port, seconds, path, body, waits)) for path, body in probes]
    for p in started:
        p.start()
    for path, mine in sorted(waits.get() for _ in started):
        ms = sorted(1000 * wait for wait, _ in mine)
        bad = sum(status != 200 for _, status in mine)
        print(f"  {path:10} {len(ms):7} requests, median {ms[len(ms) // 2]:7.2f} ms, "
              f"p99 {ms[len(ms) * 99 // 100]:7.2f} ms, worst {ms[-1]:7.2f} ms, {bad} not 200", flush=True)
    for p in started:
        p.join()


def heavy(port, id, piece, counts, stop):
    def work(name, steps):
        client = Client(port)
        while not stop.is_set():
            for step in steps:
                status = step(client)
                counts[(name, status)] = counts.get((name, status), 0) + 1

    def submit(client):
        status, text = client.ask("POST", "/jobs", {"dataset": "large", "target": "y", "model": {"layers": [8]},
                                                    "training": {"epochs": 1}})
        if status == 201:
            time.sleep(1)
            client.ask("POST", f"/jobs/{json.loads(text)['id']}/cancel")
        return status

    work_of = {
        "POST /jobs": [submit],
        "evaluate": [lambda c: c.ask("POST", "/models/small/evaluate", {"dataset": "large"})[0]],
        "upload": [lambda c: c.ask("POST", "/datasets?name=piece", piece)[0]],
    }
    for i in range(4):
        work_of[f"curve {i}"] = [lambda c: c.ask("GET", f"/jobs/{id}/metrics")[0],
                                 lambda c: c.ask("GET", f"/jobs/{id}/diagnosis")[0]]
    threads = [threading.Thread(target=work, args=item, daemon=True) for item in work_of.items()]
    for t in threads:
        t.start()
    return threads


def main():
    mlpd, megabytes = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 15
    with tempfile.TemporaryDirectory() as folder:
        daemon = subprocess.Popen([os.path.abspath(mlpd), "--listen", "127.0.0.1:0", "--data", folder + "/data",
                                   "--log", "error"], stdout=subprocess.PIPE, text=True)
        try:
            port = int(daemon.stdout.readline().rsplit(":", 1)[1])
            client = Client(port)
            large, small = table(megabytes), table(0)
            print(f"a table of {len(large) >> 20} MB; {os.cpu_count()} cores", flush=True)
            client.ask("POST", "/datasets?name=large", large)
            client.ask("POST", "/datasets?name=small", small)
            base = {"dataset": "small", "target": "y", "model": {"layers": [4]}}
            wait_for(client, job(client, {**base, "training": {"epochs": 1}}))
            rows = [[i % 7, i % 3] for i in range(64)]
            id = job(client, {"data": {"x": rows, "y": [i % 2 for i in range(64)]}, "name": "long",
                              "model": {"layers": [4]}, "training": {"epochs": 10000, "early_stopping": None}})
            wait_for(client, id)
            print("idle:", flush=True)
            measure(port, seconds)
            counts, stop = {}, threading.Event()
            heavy(port, id, large[:len(large) // 3].rsplit(b"\n", 1)[0] + b"\n", counts, stop)
            print("under all of it:", flush=True)
            measure(port, seconds)
            stop.set()
            print("  done meanwhile: " + ", ".join(f"{name} {status}: {n}" for (name, status), n in sorted(counts.items())))
        finally:
            daemon.kill()
            daemon.wait()


if __name__ == "__main__":
    main()
