# SPDX-License-Identifier: MIT
"""Rows of our tables as PyTorch has them: name -> (what stands for it, constructor from knobs).
"formula" marks what PyTorch 1.13 lacks. And the network that a case describes."""
import math

import torch
import torch.nn.functional as F

import formulas as own

nn = torch.nn

ACTIVATION = {
    "identity": ("torch.nn.Identity", nn.Identity),
    "sigmoid": ("torch.nn.Sigmoid", nn.Sigmoid),
    "hard_sigmoid": ("torch.nn.Hardsigmoid", nn.Hardsigmoid),
    "tanh": ("torch.nn.Tanh", nn.Tanh),
    "hard_tanh": ("torch.nn.Hardtanh", nn.Hardtanh),
    "relu": ("torch.nn.ReLU", nn.ReLU),
    "relu6": ("torch.nn.ReLU6", nn.ReLU6),
    "leaky_relu": ("torch.nn.LeakyReLU", lambda slope=.01: nn.LeakyReLU(slope)),
    "prelu": ("torch.nn.PReLU", None),  # has a parameter: see Layer
    "rrelu": ("torch.nn.RReLU", nn.RReLU),
    "elu": ("torch.nn.ELU", nn.ELU),
    "celu": ("torch.nn.CELU", nn.CELU),
    "selu": ("torch.nn.SELU", nn.SELU),
    "gelu": ("torch.nn.GELU", nn.GELU),
    "gelu_tanh": ("torch.nn.GELU(approximate='tanh')", lambda: nn.GELU("tanh")),
    "silu": ("torch.nn.SiLU", nn.SiLU),
    "hard_swish": ("torch.nn.Hardswish", nn.Hardswish),
    "mish": ("torch.nn.Mish", nn.Mish),
    "softplus": ("torch.nn.Softplus", nn.Softplus),
    "softsign": ("torch.nn.Softsign", nn.Softsign),
    "tanhshrink": ("torch.nn.Tanhshrink", nn.Tanhshrink),
    "softshrink": ("torch.nn.Softshrink", lambda **k: nn.Softshrink(k.get("lambda", .5))),
    "hard_shrink": ("torch.nn.Hardshrink", lambda **k: nn.Hardshrink(k.get("lambda", .5))),
    "threshold": ("torch.nn.Threshold", lambda threshold=0, value=0: nn.Threshold(threshold, value)),
    "log_sigmoid": ("torch.nn.LogSigmoid", nn.LogSigmoid),
    "square": ("formula", lambda: torch.square),
    "cube": ("formula", lambda: lambda x: x * x * x),
    "softmax": ("torch.nn.Softmax", lambda: nn.Softmax(1)),
    "log_softmax": ("torch.nn.LogSoftmax", lambda: nn.LogSoftmax(1)),
    "softmin": ("torch.nn.Softmin", lambda: nn.Softmin(1)),
    "glu": ("torch.nn.GLU", lambda: nn.GLU(1)),
    "swiglu": ("formula", lambda: own.gated(F.silu)),
    "geglu": ("formula", lambda: own.gated(F.gelu)),
    "reglu": ("formula", lambda: own.gated(F.relu)),
    "maxout": ("formula", lambda pieces=2: own.maxout(pieces)),
}
NORM = {
    "batch": ("torch.nn.BatchNorm1d", nn.BatchNorm1d),
    "layer": ("torch.nn.LayerNorm", nn.LayerNorm),
    "rms": ("formula", lambda units, eps=1e-6: own.RMSNorm(units, eps)),
    "group": ("torch.nn.GroupNorm",
              lambda units, groups=4, eps=1e-5: nn.GroupNorm(groups, units, eps=eps)),
    "weight": ("torch.nn.utils.weight_norm", None),  # of the linear layer: see Layer
}


def regression(f, **fixed):
    """PyTorch's loss of every number, the mean over the targets."""
    return lambda **knobs: lambda z, y: f(z, y, reduction="none", **fixed, **knobs).mean(1)


def of_class(f):
    return lambda **knobs: lambda z, y: f(z, y, reduction="none", **knobs)


def gaussian_nll(z, y):
    mean, log_var = z.chunk(2, dim=1)
    return F.gaussian_nll_loss(mean, y, log_var.exp(), eps=1e-30, reduction="none").mean(1)


def kl_div(z, y):
    return F.kl_div(F.log_softmax(z, 1), y, reduction="none").sum(1)


LOSS = {
    "binary_cross_entropy": ("torch.nn.BCEWithLogitsLoss", lambda label_smoothing=0: lambda z, y:
                             own.smoothed_bce(z, y, label_smoothing)),
    "cross_entropy": ("torch.nn.CrossEntropyLoss", of_class(F.cross_entropy)),
    "mse": ("torch.nn.MSELoss", regression(F.mse_loss)),
    "mae": ("torch.nn.L1Loss", regression(F.l1_loss)),
    "huber": ("torch.nn.HuberLoss", regression(F.huber_loss)),
    "smooth_l1": ("torch.nn.SmoothL1Loss", regression(F.smooth_l1_loss)),
    "log_cosh": ("formula", lambda: own.log_cosh),
    "quantile": ("formula", lambda tau=.5: lambda z, y: own.quantile(z, y, tau)),
    "poisson": ("torch.nn.PoissonNLLLoss", regression(F.poisson_nll_loss, log_input=True)),
    "gaussian_nll": ("torch.nn.GaussianNLLLoss", lambda: gaussian_nll),
    "gamma": ("formula", lambda: own.gamma),
    "tweedie": ("formula", lambda power=1.5: lambda z, y: own.tweedie(z, y, power)),
    "focal": ("formula", lambda gamma=2: lambda z, y: own.focal(z, y, gamma)),
    "hinge": ("formula", lambda: lambda z, y: own.hinge(z, y, 1)),
    "squared_hinge": ("formula", lambda: lambda z, y: own.hinge(z, y, 2)),
    "multi_margin": ("torch.nn.MultiMarginLoss", of_class(F.multi_margin_loss)),
    "multilabel_bce": ("torch.nn.BCEWithLogitsLoss",
                       regression(F.binary_cross_entropy_with_logits)),
    "kl_div": ("torch.nn.KLDivLoss", lambda: kl_div),
}
PER_CLASS = ("cross_entropy", "focal", "multi_margin")


def renamed(f, **names):
    return lambda params, **knobs: f(params, **{names.get(k, k): v for k, v in knobs.items()})


def lbfgs(params, strong_wolfe=True, history_size=10, **knobs):
    flat = [p for group in params for p in group["params"]]  # it takes no groups
    return torch.optim.LBFGS(flat, history_size=history_size,
                             line_search_fn="strong_wolfe" if strong_wolfe else None, **knobs)


def filled(f, **defaults):
    return lambda params, **knobs: f(params, **{**defaults, **knobs})


def muon(params, lr=.02, **knobs):
    return own.Muon(params, **{"lr": lr, "start_lr": lr, "momentum": .95, "weight_decay": 0,
                               "adam_lr": 3e-4, **knobs})


OPTIMIZER = {
    "adamw": ("torch.optim.AdamW", torch.optim.AdamW),
    "adam": ("torch.optim.Adam", torch.optim.Adam),
    "sgd": ("torch.optim.SGD", filled(torch.optim.SGD, lr=.01)),
    "adagrad": ("torch.optim.Adagrad", torch.optim.Adagrad),
    "adadelta": ("torch.optim.Adadelta", torch.optim.Adadelta),
    "rmsprop": ("torch.optim.RMSprop", torch.optim.RMSprop),
    "adamax": ("torch.optim.Adamax", torch.optim.Adamax),
    # The other form of 1.13 multiplies by the momentum twice, which PyTorch 2 has mended.
    "nadam": ("torch.optim.NAdam", filled(torch.optim.NAdam, foreach=True)),
    "radam": ("torch.optim.RAdam", torch.optim.RAdam),
    "adopt": ("formula", filled(own.Adopt, lr=1e-3, betas=[.9, .9999], eps=1e-6, weight_decay=0)),
    "lion": ("formula", filled(own.Lion, lr=1e-4, betas=[.9, .99], weight_decay=0)),
    "rprop": ("torch.optim.Rprop", torch.optim.Rprop),
    "lbfgs": ("torch.optim.LBFGS", lbfgs),
    "muon": ("formula", muon),
    "schedule_free_adamw": ("formula", filled(own.ScheduleFreeAdamW, lr=2.5e-3, betas=[.9, .999],
                                              eps=1e-8, weight_decay=0)),
}
SCHEDULER = torch.optim.lr_scheduler


def by_torch(make, per_epoch=True):
    """Factors from one of PyTorch's schedulers at rate 1, moved on once an epoch or once a step."""
    def start(n, steps):
        p = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.)
        s = make(p, n, steps)
        factors = []
        for k in range(n):
            factors.append(p.param_groups[0]["lr"])
            p.step()
            if not per_epoch or (k + 1) % steps == 0:
                s.step()
        return lambda k, n, steps, warm: factors[k]
    return start


def by_formula(f):
    return lambda n, steps: f


def restarts(t_0=10, t_mult=1, min=0):
    def start(n, steps):
        p = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.)
        s = SCHEDULER.CosineAnnealingWarmRestarts(p, t_0, t_mult, min)
        def factor(k, n, steps, warm):
            s.step(k / steps)
            return p.param_groups[0]["lr"]
        return factor
    return start


SCHEDULE = {
    "cosine": ("torch.optim.lr_scheduler.CosineAnnealingLR", lambda min=0: by_torch(
        lambda p, n, steps: SCHEDULER.CosineAnnealingLR(p, n, min), False)),
    "constant": ("torch.optim.lr_scheduler.ConstantLR", lambda: by_torch(
        lambda p, n, steps: SCHEDULER.ConstantLR(p, factor=1))),
    "step": ("torch.optim.lr_scheduler.StepLR", lambda step_size=10, gamma=.1: by_torch(
        lambda p, n, steps: SCHEDULER.StepLR(p, step_size, gamma))),
    "multi_step": ("torch.optim.lr_scheduler.MultiStepLR", lambda milestones, gamma=.1: by_torch(
        lambda p, n, steps: SCHEDULER.MultiStepLR(p, milestones, gamma))),
    "exponential": ("torch.optim.lr_scheduler.ExponentialLR", lambda gamma=.95: by_torch(
        lambda p, n, steps: SCHEDULER.ExponentialLR(p, gamma))),
    "polynomial": ("torch.optim.lr_scheduler.PolynomialLR", lambda power=1, end=0: by_torch(
        lambda p, n, steps: SCHEDULER.PolynomialLR(p, n, power), False) if end == 0 else
        by_formula(own.polynomial(power, end))),
    "inverse_time": ("formula", lambda rate=.1: by_formula(own.inverse_time(rate))),
    "inverse_sqrt": ("formula", lambda: by_formula(own.inverse_sqrt())),
    "cosine_restarts": ("torch.optim.lr_scheduler.CosineAnnealingWarmRestarts", restarts),
    "one_cycle": ("torch.optim.lr_scheduler.OneCycleLR", lambda **knobs: by_torch(
        lambda p, n, steps: SCHEDULER.OneCycleLR(p, 1., n, cycle_momentum=False, **knobs), False)),
    "cyclic": ("torch.optim.lr_scheduler.CyclicLR", lambda base=.1, step_size_up=5: by_torch(
        lambda p, n, steps: SCHEDULER.CyclicLR(p, base, 1., step_size_up * steps,
                                               cycle_momentum=False), False)),
    "plateau": ("torch.optim.lr_scheduler.ReduceLROnPlateau", None),  # see Pace
    "flat_cos": ("formula", lambda flat=.5: by_formula(own.flat_cos(flat))),
    "coslog": ("formula", lambda cycles=4: by_formula(own.coslog(cycles))),
}


def split(pick):
    return pick["name"], {k: v for k, v in pick.items() if k not in ("name", "warmup")}


def made(table, pick, *args):
    name, knobs = split(pick)
    return table[name][1](*args, **knobs)


class Pace:
    """Factor of the rate, step by step."""

    def __init__(self, pick, n, per_epoch):
        name, knobs = split(pick)
        warmup = pick.get("warmup", 0)
        self.warm = int(warmup * n if warmup < 1 else warmup)
        self.n, self.per_epoch, self.losses = n - self.warm, per_epoch, []
        self.dummy = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.)
        self.plateau = None
        if name == "plateau":
            knobs = {"min_lr" if k == "min" else k: v for k, v in knobs.items()}
            self.plateau = SCHEDULER.ReduceLROnPlateau(self.dummy, eps=0, **knobs)
        else:
            self.factor = made(SCHEDULE, pick)(self.n, per_epoch)

    def at(self, k):
        if k < self.warm:
            return (k + 1) / self.warm
        if self.plateau:
            return self.dummy.param_groups[0]["lr"]
        return self.factor(k - self.warm, self.n, self.per_epoch, self.warm)

    def observe(self, k, loss):
        self.losses.append(loss)
        if self.plateau and (k + 1) % self.per_epoch == 0:
            self.plateau.step(sum(self.losses) / len(self.losses))
            self.losses = []


class Layer(nn.Module):
    def __init__(self, spec, cols):
        super().__init__()
        units = spec["units"]
        self.linear, self.norm = nn.Linear(cols, units), None
        self.residual = spec.get("residual", 0)
        norm = spec.get("norm")
        if norm and norm["name"] == "weight":
            nn.utils.weight_norm(self.linear, dim=0)
        elif norm:
            self.norm = made(NORM, norm, units)
        act = spec.get("activation", {"name": "identity"})
        self.activation = (nn.PReLU(units, act.get("init", .25)) if act["name"] == "prelu" else made(ACTIVATION, act))
        self.out = self.activation(torch.zeros(2, units)).shape[1]

    def forward(self, x):
        x = self.linear(x)
        return self.activation(self.norm(x) if self.norm else x)

    def named(self, layer):
        for name, p in self.linear.named_parameters():
            yield layer + {"weight_v": "weight", "weight_g": "norm.g"}.get(name, name), p
        for part, m in (("norm.", self.norm), ("activation.", self.activation)):
            if isinstance(m, nn.Module):
                for name, p in list(m.named_parameters()) + list(m.named_buffers()):
                    if name != "num_batches_tracked":
                        yield layer + part + name, p


class Net(nn.Module):
    def __init__(self, spec, cols, outputs):
        super().__init__()
        self.layers = nn.ModuleList()
        for layer in spec.get("layers", []):
            self.layers.append(Layer(layer, cols))
            cols = self.layers[-1].out
        self.output = nn.Linear(cols, outputs)
        for i, (name, p) in enumerate(self.named()):
            p.hidden = name.startswith("layers.") and name.endswith(".weight") and p.dim() == 2

    def forward(self, x):
        inputs = []
        for layer in self.layers:
            inputs.append(x)
            x = layer(x)
            if layer.residual:
                x = x + inputs[-layer.residual]
        return self.output(x)

    def named(self):
        for i, layer in enumerate(self.layers):
            yield from layer.named(f"layers.{i}.")
        for name, p in self.output.named_parameters():
            yield "output." + name, p
