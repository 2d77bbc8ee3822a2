#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes torch_trajectory.json: what PyTorch does in 20 steps on a small network, in double.

A 3-4-3 network with batch norm and tanh, cross-entropy, 12 rows used as one batch. Numbers are in
the order of our own parameter array: layers.0.weight, .bias, .norm.weight, .norm.bias,
output.weight, .bias, then the running mean and variance.

    /usr/bin/python3 tests/data/torch_trajectory.py > tests/data/torch_trajectory.json
"""
import json

import torch

IN, UNITS, CLASSES, ROWS, STEPS = 3, 4, 3, 12, 20
KEPT = (1, 2, 5, 10, 20)  # steps whose weights are written

# Knobs have the same names on both sides.
RUNS = [
    ("sgd", {"lr": 0.1}),
    ("sgd", {"lr": 0.1, "momentum": 0.9}),
    ("sgd", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("sgd", {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.1}),
    ("sgd", {"lr": 0.1, "momentum": 0.5, "nesterov": True, "weight_decay": 0.1}),
    ("adam", {"lr": 0.05}),
    ("adam", {"lr": 0.05, "betas": [0.8, 0.9], "eps": 0.001, "weight_decay": 0.1}),
    ("adamw", {"lr": 0.05}),
    ("adamw", {"lr": 0.05, "betas": [0.8, 0.9], "eps": 0.001, "weight_decay": 0.3}),
]
TORCH = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def flat(net):
    linear, norm, _, output = net
    parts = [linear.weight, linear.bias, norm.weight, norm.bias, output.weight, output.bias,
             norm.running_mean, norm.running_var]
    return [float("%.12g" % v) for p in parts for v in p.detach().reshape(-1)]


def network(seed):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(IN, UNITS), torch.nn.BatchNorm1d(UNITS),
                               torch.nn.Tanh(), torch.nn.Linear(UNITS, CLASSES)).double()


def run(name, knobs, x, y):
    net = network(1)
    # Start from the written, rounded numbers.
    with torch.no_grad():
        for p in net.parameters():
            rounded = [float("%.12g" % v) for v in p.reshape(-1)]
            p.copy_(torch.tensor(rounded, dtype=torch.float64).reshape(p.shape))
    optimizer = TORCH[name](net.parameters(), **knobs)
    losses, weights = [], {}
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(float("%.12g" % loss.item()))
        if step in KEPT:
            weights[str(step)] = flat(net)
    return {"optimizer": name, "knobs": knobs, "loss": losses, "weights": weights}


def main():
    torch.manual_seed(0)
    x = (torch.randn(ROWS, IN).double() * 1000).round() / 1000
    y = torch.arange(ROWS) % CLASSES
    out = {"torch": torch.__version__, "x": x.tolist(), "y": y.tolist(),
           "start": flat(network(1)), "runs": [run(n, k, x, y) for n, k in RUNS]}
    text = json.dumps(out)
    for mark in ('"x"', '"y"', '"start"', '"runs"', '{"optimizer"', '"loss"', '"weights"'):
        text = text.replace(mark, "\n" + mark)
    print(text)


main()
