# SPDX-License-Identifier: MIT
"""Trains the network of one case for 20 steps: losses, rates and weights as lists of numbers."""
import copy
import fnmatch

import torch

import net as nets

STEPS = 20
KEPT = (1, 2, 5, 10, 20)  # steps whose weights are written
ROWS, IN, CLASSES = 12, 3, 3


def rounded(t):
    return (t.double() * 1000).round() / 1000


def data():
    """Name -> (x, y). The rows are the same; targets are of every kind, without a pattern, so that
    losses stay away from 0."""
    torch.manual_seed(0)
    x = rounded(torch.randn(ROWS, IN))
    real = rounded(x @ torch.tensor([[1., -.5], [.5, 1.], [-.7, .3]]).double()
                   + .5 * torch.randn(ROWS, 2).double())
    shares = torch.softmax(torch.randn(ROWS, 3).double(), 1)
    shares = (shares * 64).round() / 64
    shares[:, 2] = 1 - shares[:, 0] - shares[:, 1]
    return {
        "classes": (x, torch.arange(ROWS) % CLASSES),
        "binary": (x, ((x[:, :1] + x[:, 1:2] > .3).double() + (torch.arange(ROWS) % 5 == 0)
                       .double()[:, None]) % 2),
        "two_classes": (x, torch.arange(ROWS) // 2 % 2),
        "number": (x, real[:, :1]),
        "numbers": (x, real),
        "counts": (x, (real[:, :1].abs() * 2).floor()),
        "positive": (x, rounded(real[:, :1].abs() + .2)),
        "labels": (x, (torch.rand(ROWS, 3) > .5).double()),
        "shares": (x, shares),
    }


DATA = data()


def start_weights(net, seed, scale, keep):
    """Random, in three decimals, so that both sides start from the same numbers."""
    torch.manual_seed(seed)
    for name, p in net.named():
        noise = torch.randn(p.shape).double()
        if "running" in name:
            continue
        if name.endswith("norm.g"):
            value = 1 + .3 * noise.abs()
        elif ".norm." in name:
            value = (1 if name.endswith("weight") else 0) + .2 * noise
        elif name.endswith("activation.weight"):
            value = p.data if keep else .25 + .1 * noise
        else:
            value = noise * (scale if name.startswith("layers") else .7)
        p.data.copy_(rounded(value))


def outputs(case):
    loss = case["loss"]["name"]
    if loss in nets.PER_CLASS:
        return int(DATA[case["data"]][1].max()) + 1
    return DATA[case["data"]][1].shape[1] * (2 if loss == "gaussian_nll" else 1)


def build(case, dtype):
    model = nets.Net(case["model"], IN, outputs(case)).double()
    if "constant" in case:
        for name, p in model.named():
            p.data.fill_(case["constant"] if p.dim() == 2 else 0)
    else:
        start_weights(model, case.get("seed", 1), case.get("scale", 1), "unset" in case)
    model.train(not case.get("serve"))
    return model.to(dtype)


def groups(case, model):
    """One group a parameter, with the factors of the first pattern that matches."""
    out = []
    for name, p in model.named():
        if not isinstance(p, torch.nn.Parameter):
            continue
        hit = [g for g in case.get("param_groups", []) if fnmatch.fnmatchcase(name, g["match"])]
        factor = hit[0] if hit else {}
        out.append({"params": [p], "lr_factor": factor.get("lr", 1),
                    "decay_factor": factor.get("weight_decay", 1)})
    return out


class Run:
    def __init__(self, case, dtype):
        self.case, self.model = case, build(case, dtype)
        x, y = DATA[case["data"]]
        self.x, self.y = x.to(dtype), y.to(dtype) if y.is_floating_point() else y
        self.w = torch.tensor(case["row_weights"], dtype=dtype) if "row_weights" in case else None
        self.loss = nets.made(nets.LOSS, case["loss"])
        pick = dict(case["optimizer"])
        self.sam, self.lookahead = pick.pop("sam", 0), pick.pop("lookahead", 0)
        self.alpha = pick.pop("lookahead_alpha", .6)
        self.optimizer = nets.made(nets.OPTIMIZER, pick, groups(case, self.model))
        self.scale_decay()
        self.size = case.get("training", {}).get("batch_size", ROWS)
        self.steps = STEPS * (ROWS // self.size)
        self.pace = nets.Pace(case["schedule"], self.steps, case.get("per_epoch", ROWS // self.size))
        self.parameters = [p for _, p in self.model.named() if isinstance(p, torch.nn.Parameter)]
        self.slow = [p.detach().clone() for p in self.parameters]
        self.mean, self.n_mean = None, 0

    def scale_decay(self):
        self.lr = self.optimizer.param_groups[0]["lr"]
        for g in self.optimizer.param_groups:
            if "weight_decay" in g:
                g["weight_decay"] *= g.get("decay_factor", 1)

    def value(self, at):
        if "class_weight" in self.case:
            weight = torch.tensor(self.case["class_weight"], dtype=self.x.dtype)
            return torch.nn.functional.cross_entropy(self.model(self.x[at]), self.y[at], weight)
        rows = self.loss(self.model(self.x[at]), self.y[at])
        w = self.w[at] if self.w is not None else None
        return rows.mean() if w is None else (w * rows).sum() / w.sum()

    def penalty(self):
        r = self.case.get("regularization", {})
        weights = [p for n, p in self.model.named() if n.endswith("weight") and p.dim() == 2]
        return sum(r.get("l1", 0) * w.abs().sum() + r.get("l2", 0) / 2 * w.square().sum()
                   for w in weights)

    def closure(self, at):
        def evaluate():
            self.optimizer.zero_grad()
            loss = self.value(at)
            (loss + self.penalty()).backward()
            r = self.case.get("regularization", {})
            if "gradient_clip_value" in r:
                torch.nn.utils.clip_grad_value_(self.parameters, r["gradient_clip_value"])
            if "gradient_clip_norm" in r:
                torch.nn.utils.clip_grad_norm_(self.parameters, r["gradient_clip_norm"])
            return loss
        return evaluate

    def sharpness_aware(self, evaluate):
        """The gradient a step uphill, for the step from here."""
        loss = evaluate()
        norm = torch.sqrt(sum(p.grad.square().sum() for p in self.parameters))
        here = [p.detach().clone() for p in self.parameters]
        with torch.no_grad():
            for p in self.parameters:
                p.add_(self.sam * p.grad / norm)
        evaluate()
        with torch.no_grad():
            for p, old in zip(self.parameters, here):
                p.copy_(old)
        self.optimizer.step()
        return loss

    @torch.no_grad()
    def after(self, k):
        if self.lookahead and (k + 1) % self.lookahead == 0:
            for slow, p in zip(self.slow, self.parameters):
                slow.add_(self.alpha * (p - slow))
                p.copy_(slow)
        most = self.case.get("regularization", {}).get("max_norm")
        for p in self.parameters:
            if most and p.hidden:
                p.copy_(torch.renorm(p, 2, 0, most))

    @torch.no_grad()
    def average(self, k, epoch_ends):
        t, values = self.case.get("training", {}), [p.clone() for p in self.parameters]
        if "ema" in t:
            decay = min(t["ema"], (1 + k + 1) / (10 + k + 1))
            old = self.mean or self.start
            self.mean = [decay * m + (1 - decay) * v for m, v in zip(old, values)]
        if "swa" in t and epoch_ends and self.swa_begins(k):
            self.n_mean += 1
            old = self.mean or values
            self.mean = [m + (v - m) / self.n_mean for m, v in zip(old, values)]

    def weights(self):
        return {n: numbers(p) for n, p in self.model.named()}

    def swa_begins(self, k):
        """Whether step k is one of the last epochs, whose ends are averaged."""
        t = self.case.get("training", {})
        return "swa" in t and k * self.size // ROWS >= round(STEPS * (1 - t["swa"]))

    def rate(self, k, per_epoch):
        """Under SWA the rate stays where it was when averaging began."""
        while self.swa_begins(k) and self.swa_begins(k - 1):
            k -= 1
        return self.pace.at(k)

    def step(self, k):
        per_epoch = ROWS // self.size
        at = slice(k % per_epoch * self.size, (k % per_epoch + 1) * self.size)
        factor = self.rate(k, per_epoch)
        for g in self.optimizer.param_groups:
            g["lr"] = self.lr * factor * g.get("lr_factor", 1)
        evaluate = self.closure(at)
        loss = self.sharpness_aware(evaluate) if self.sam else self.optimizer.step(evaluate)
        self.after(k)
        self.average(k, (k + 1) % per_epoch == 0)
        self.pace.observe(k, loss.item())
        weight = self.size if self.w is None else self.w[at].sum().item()
        return loss.item(), self.lr * factor, weight

    def final(self):
        """The weights to keep, where they differ from those that are trained."""
        with torch.no_grad():
            for i, p in enumerate(self.parameters):
                if self.mean:
                    p.copy_(self.mean[i])
                elif hasattr(self.optimizer, "settled"):
                    p.copy_(self.optimizer.settled(p))
        if "swa" in self.case.get("training", {}):
            torch.optim.swa_utils.update_bn(self.x.split(self.size), self.model)
        return self.weights()


def numbers(t):
    return [float("%.12g" % v) for v in t.detach().reshape(-1).tolist()]


def replay(case, dtype=torch.float64):
    torch.set_default_dtype(torch.float64)
    r = Run(case, dtype)
    r.start = [p.detach().clone() for p in r.parameters]
    out = {"start": r.weights(), "steps": r.steps, "loss": [], "lr": [], "after": {}}
    per_epoch = r.steps // STEPS
    losses = []
    for k in range(r.steps):
        loss, lr, weight = r.step(k)
        losses.append((loss, weight))
        if (k + 1) % per_epoch == 0:  # a mean over the epoch's batches
            mean = sum(loss * w for loss, w in losses) / sum(w for _, w in losses)
            out["loss"].append(float("%.12g" % mean))
            out["lr"].append(float("%.12g" % lr))
            losses = []
            if len(out["loss"]) in KEPT:
                out["after"][str(len(out["loss"]))] = r.weights()
    out["final"] = r.final()
    if out["final"] == out["after"][str(STEPS)]:
        del out["final"]
    return out
