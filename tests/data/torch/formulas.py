# SPDX-License-Identifier: MIT
"""What PyTorch 1.13 lacks, written from the formulas in PyTorch's autograd: activations, norms,
losses, schedules, optimizers. Nothing here looks at the C sources."""
import math

import torch
import torch.nn.functional as F


class RMSNorm(torch.nn.Module):
    def __init__(self, units, eps):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(units))
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + self.eps) * self.weight


def gated(f):
    def forward(x):
        a, b = x.chunk(2, dim=1)
        return a * f(b)
    return forward


def maxout(pieces):
    return lambda x: torch.stack(x.chunk(pieces, dim=1)).max(dim=0).values


# Losses of each row, [rows], from outputs z [rows, outputs] and targets.


def smoothed_bce(z, y, eps):
    target = y * (1 - eps) + eps / 2
    return F.binary_cross_entropy_with_logits(z, target, reduction="none").mean(1)


def log_cosh(z, y):
    r = z - y
    return torch.log(torch.cosh(r)).mean(1)


def quantile(z, y, tau):
    r = y - z
    return torch.maximum(tau * r, (tau - 1) * r).mean(1)


def gamma(z, y):
    return (y * torch.exp(-z) + z).mean(1)


def tweedie(z, y, p):
    return (-y * torch.exp((1 - p) * z) / (1 - p) + torch.exp((2 - p) * z) / (2 - p)).mean(1)


def focal(z, y, gamma):
    p = torch.softmax(z, 1).gather(1, y[:, None])[:, 0]
    return -(1 - p) ** gamma * torch.log(p)


def hinge(z, y, power):
    return torch.clamp(1 - (2 * y - 1) * z, min=0).pow(power).mean(1)


# Schedules: the factor of step k of n, counted from the end of the warm-up.


def at_epoch(f):
    return lambda k, n, per_epoch, warm: f(k / per_epoch)


def at_progress(f):
    return lambda k, n, per_epoch, warm: f(k / n)


def inverse_time(rate):
    return at_epoch(lambda epoch: 1 / (1 + rate * epoch))


def inverse_sqrt():
    def factor(k, n, per_epoch, warm):
        s = max(warm, 1)
        return math.sqrt(s / max(s, k + warm))
    return factor


def polynomial(power, end):
    return at_progress(lambda t: end + (1 - end) * (1 - t) ** power)


def flat_cos(flat):
    return at_progress(lambda t: 1 if t <= flat else
                       (1 + math.cos(math.pi * (t - flat) / (1 - flat))) / 2)


def coslog(cycles):
    return at_progress(lambda t: (1 - math.cos(2 * math.pi * math.log2(1 + (2 ** cycles - 1) * t))) / 2)


# Optimizers. p.state holds what a parameter remembers.


class Formula(torch.optim.Optimizer):
    def __init__(self, params, **knobs):
        super().__init__(params, knobs)
        self.k = 0

    @torch.no_grad()
    def step(self, closure=None):
        self.k += 1
        loss = None
        if closure:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state.update(m=torch.zeros_like(p), v=torch.zeros_like(p))
                self.move(p, p.grad, state, group)
        return loss


class Lion(Formula):
    """Chen et al. 2023, algorithm 2."""

    def move(self, p, g, s, o):
        b1, b2 = o["betas"]
        c = b1 * s["m"] + (1 - b1) * g
        p.mul_(1 - o["lr"] * o["weight_decay"]).sub_(o["lr"] * torch.sign(c))
        s["m"].mul_(b2).add_((1 - b2) * g)


class Adopt(Formula):
    """Taniguchi et al. 2024, with decoupled decay: the first step only learns the scale."""

    def move(self, p, g, s, o):
        b1, b2 = o["betas"]
        if self.k == 1:
            s["v"].copy_(g * g)
            return
        p.mul_(1 - o["lr"] * o["weight_decay"])
        d = torch.clamp(s["v"].sqrt(), min=o["eps"])
        if self.k == 2:
            s["m"].add_(g / d)
        else:
            s["m"].mul_(b1).add_((1 - b1) * g / d)
        p.sub_(o["lr"] * s["m"])
        s["v"].mul_(b2).add_((1 - b2) * g * g)


class Muon(Formula):
    """Jordan 2024: hidden weight matrices; AdamW's step without decay for the rest."""

    def move(self, p, g, s, o):
        if getattr(p, "hidden", False):
            self.matrix(p, g, s, o)
        else:
            self.adam(p, g, s, o)

    def matrix(self, p, g, s, o):
        mu = o["momentum"]
        s["m"].mul_(mu).add_((1 - mu) * g)
        u = (1 - mu) * g + mu * s["m"]
        x = u / (u.norm() + 1e-7)
        tall = p.shape[0] > p.shape[1]
        x = x.T if tall else x
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
        x = x.T if tall else x
        p.mul_(1 - o["lr"] * o["weight_decay"])
        p.sub_(o["lr"] * math.sqrt(max(1, p.shape[0] / p.shape[1])) * x)

    def adam(self, p, g, s, o):
        b1, b2 = .9, .95
        s["m"].mul_(b1).add_((1 - b1) * g)
        s["v"].mul_(b2).add_((1 - b2) * g * g)
        m, v = s["m"] / (1 - b1 ** self.k), s["v"] / (1 - b2 ** self.k)
        lr = o["adam_lr"] * o["lr"] / o["start_lr"]
        p.mul_(1 - lr * o["weight_decay"]).sub_(lr * m / (v.sqrt() + 1e-10))


class ScheduleFreeAdamW(Formula):
    """Defazio et al. 2024. The parameters are y; settled() gives x."""

    def __init__(self, params, **knobs):
        super().__init__(params, **knobs)
        for group in self.param_groups:
            group.update(most=0, total=0, at=0)

    def share(self, o):
        if o["at"] != self.k:
            o["rate"] = o["lr"] * math.sqrt(1 - o["betas"][1] ** self.k)
            o["most"] = max(o["most"], o["rate"])
            o["total"] += o["most"] ** 2
            o["at"] = self.k
        return o["most"] ** 2 / o["total"] if o["total"] else 0

    def move(self, p, g, s, o):
        b1, b2 = o["betas"]
        if "z" not in s:
            s["z"] = p.clone()
        c = self.share(o)
        s["v"].mul_(b2).add_((1 - b2) * g * g)
        g = g / (s["v"].sqrt() + o["eps"]) + o["weight_decay"] * p
        p.copy_((1 - c) * p + c * s["z"]).add_(o["rate"] * (b1 * (1 - c) - 1) * g)
        s["z"].sub_(o["rate"] * g)

    def settled(self, p):
        b1 = self.param_groups[0]["betas"][0]
        return p + (1 - 1 / b1) * (self.state[p]["z"] - p)
