# SPDX-License-Identifier: MIT
"""The training steps of bench.c by mlpd, PyTorch and scikit-learn: `make bench-peers`.

    peers.py BENCH [ROUNDS]

One thread each, float32, Adam, cross-entropy, eager; a step is forward, backward and update on a
batch that is in memory already. The engines take turns, because machines drift, and every figure
is the median of the rounds. mlpd's step also measures and clips the gradient's norm, the others'
do not. scikit-learn has no step of its own to call: its figure is an epoch of fit() over many
batches, divided by their number. An engine that is not installed is left out.
"""

import os
import statistics
import subprocess
import sys
import time
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

SECONDS = 0.25

NETS = {  # name: batch, widths from the input to the classes
    "4-16-3": (32, (4, 16, 3)),
    "30-64-64-2": (32, (30, 64, 64, 2)),
    "784-256-128-10": (64, (784, 256, 128, 10)),
    "1024-2048-2048-10": (512, (1024, 2048, 2048, 10)),
}


def mlpd(bench):
    """A function that measures a round of every net: {name: seconds a step}."""

    def measure():
        reply = subprocess.run([bench, "1", "1"], check=True, text=True, capture_output=True)
        rows = (line.split() for line in reply.stdout.splitlines())
        return {row[0]: float(row[2]) / 1e6 for row in rows if row and row[0] in NETS}

    return measure


def timed(step):
    """Seconds a call of step() takes, over about SECONDS of calls, after one to warm up."""
    step()
    calls, start, passed = 0, time.perf_counter(), 0.0
    while passed < SECONDS:
        step()
        calls += 1
        passed = time.perf_counter() - start
    return passed / calls


def torch():
    import torch as t

    t.set_num_threads(1)

    def step_of(batch, widths):
        layers = []
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [t.nn.Linear(inputs, outputs), t.nn.ReLU()]
        net, loss = t.nn.Sequential(*layers[:-1]), t.nn.CrossEntropyLoss()
        adam = t.optim.Adam(net.parameters(), lr=1e-3)
        x, y = t.randn(batch, widths[0]), t.arange(batch) % widths[-1]

        def step():
            adam.zero_grad()
            loss(net(x), y).backward()
            adam.step()

        return step

    steps = {name: step_of(*net) for name, net in NETS.items()}
    return lambda: {name: timed(step) for name, step in steps.items()}


def sklearn():
    import numpy
    from sklearn.neural_network import MLPClassifier

    warnings.filterwarnings("ignore")

    def seconds(batch, widths):
        batches = max(1, min(200, 1 << 24 >> (sum(widths) * batch).bit_length()))
        rows = batch * batches
        x = numpy.random.default_rng(1).standard_normal((rows, widths[0]), dtype=numpy.float32)
        y = numpy.arange(rows) % widths[-1]
        net = MLPClassifier(widths[1:-1], batch_size=batch, max_iter=1, alpha=0, shuffle=False)
        return timed(lambda: net.fit(x, y)) / batches

    return lambda: {name: seconds(*net) for name, net in NETS.items()}


def engines(bench):
    """The engines that are there, ready to measure."""
    ready = {"mlpd": mlpd(bench)}
    for name, make in {"torch": torch, "sklearn": sklearn}.items():
        try:
            ready[name] = make()
        except ImportError as why:
            print(f"{name} is left out: {why}")
    return ready


def print_table(medians):
    peers = [engine for engine in medians if engine != "mlpd"]
    print(f"{'us per step':<20}" + "".join(f"{engine:>12}" for engine in medians)
          + "".join(f"{engine + '/mlpd':>14}" for engine in peers))
    for net in NETS:
        ours = medians["mlpd"][net]
        print(f"{net:<20}" + "".join(f"{medians[engine][net] * 1e6:>12.1f}" for engine in medians)
              + "".join(f"{medians[engine][net] / ours:>13.1f}x" for engine in peers))


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main():
    bench, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    ready = engines(bench)
    seen = {engine: [] for engine in ready}
    for turn in range(rounds):
        for engine, measure in ready.items():
            progress(f"round {turn + 1} of {rounds}: {engine}")
            seen[engine].append(measure())
    progress("")
    print_table({engine: {net: statistics.median(r[net] for r in rounds_) for net in NETS}
                 for engine, rounds_ in seen.items()})


if __name__ == "__main__":
    main()
