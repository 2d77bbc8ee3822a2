#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes ../torch_<table>.json: what PyTorch does in 20 steps on small networks, in double.

    /usr/bin/python3 tests/data/torch/make.py [table ...]

Every case is run in single precision as well; where that alone goes another way by more than 2e-5,
the case is chaotic, and named: choose other data for it.
"""
import json
import os
import sys

import torch

import cases
import trajectory

HIDDEN = ("unset", "seed", "scale", "constant", "class_weight")  # what only this side needs


def bad(x):
    return float("inf") if x != x else x


def deviation(a, b):
    if isinstance(a, dict):
        return max((deviation(a[k], b[k]) for k in a), key=bad)
    return max((abs(x - y) / max(abs(x), .1) for x, y in zip(a, b)), key=bad)


def case_with_numbers(case):
    numbers = trajectory.replay(case)
    single = trajectory.replay(case, torch.float32)
    off = deviation(*({k: n[k] for k in ("loss", "lr", "after")} for n in (numbers, single)))
    if not off < 2e-5:
        print("%s, case \"%s\": single precision is off by %.1e" % (case["row"], case["about"], off),
              file=sys.stderr)
    start = numbers.pop("start")
    unset = case.get("unset", "" if "constant" in case else None)  # left to our own init
    start = {n: v for n, v in start.items() if unset is None or unset not in n}
    given = {"start": start} if start else {}
    return {**{k: v for k, v in case.items() if k not in HIDDEN}, **given, "expect": numbers}


def described(name):
    x, y = trajectory.DATA[name]
    classes = {"classes": 3, "binary": 2, "two_classes": 2}.get(name, 0)
    task = {"labels": "multilabel", "shares": "distribution"}.get(name, "regression")
    return {"task": "classification" if classes else task, "classes": classes, "x": x.tolist(),
            "y": y.reshape(len(y), -1).tolist()}


def text(table):
    made = [case_with_numbers(c) for c in cases.CASES[table]]
    used = sorted({c["data"] for c in made})
    data = {n: described(n) for n in used}
    lines = ",\n".join(json.dumps(c, separators=(",", ":"), allow_nan=False) for c in made)
    return '{"torch": "%s", "table": "%s",\n"data": %s,\n"cases": [\n%s\n]}\n' % (
        torch.__version__, table, json.dumps(data, separators=(",", ":")), lines)


def main():
    torch.set_num_threads(1)
    here = os.path.dirname(os.path.abspath(__file__))
    for table in sys.argv[1:] or cases.CASES:
        with open(os.path.join(here, "..", "torch_%s.json" % table), "w") as f:
            f.write(text(table))


main()
