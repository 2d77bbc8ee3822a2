# SPDX-License-Identifier: MIT
"""What is run: at least one case for every row of every table, every knob away from its default at
least once."""
import net as nets

TANH = {"name": "tanh"}


def case(table, row, about="", **over):
    """Two hidden layers, three classes, plain SGD with momentum, unless told otherwise."""
    tables = {"activation": nets.ACTIVATION, "norm": nets.NORM, "loss": nets.LOSS,
              "optimizer": nets.OPTIMIZER, "schedule": nets.SCHEDULE}
    c = {"row": row, "about": about,
         "reference": tables[table][row][0] if table in tables else "formula",
         "model": {"layers": [{"units": 4, "activation": TANH}]},
         "data": "classes", "loss": {"name": "cross_entropy"},
         "optimizer": {"name": "sgd", "lr": .1, "momentum": .5},
         "schedule": {"name": "constant"}}
    c.update(over)
    if beyond_torch(c):
        c["reference"] = "formula"
    return c


def beyond_torch(c):
    """Knobs of PyTorch's rows that are ours alone: their share of a case is from the formulas."""
    return (c["loss"]["name"] == "binary_cross_entropy" and "label_smoothing" in c["loss"]
            or "warmup" in c["schedule"] or c["schedule"].get("end")
            or "sam" in c["optimizer"] or "lookahead" in c["optimizer"])


def told(knobs):
    return ", ".join("%s %s" % (k, v) for k, v in knobs.items())


def activation(name, units=(5, 4), scale=1.5, about="", seed=1, unset=None, **knobs):
    act = {"name": name, **knobs}
    return case("activation", name, about or told(knobs), scale=scale, seed=seed, **({"unset": unset} if unset else {}),
                model={"layers": [{"units": u, "activation": act} for u in units]})


def activations():
    plain = [n for n in nets.ACTIVATION if n not in
             ("glu", "swiglu", "geglu", "reglu", "maxout", "square", "cube", "rrelu",
              "log_softmax")]
    out = [activation(n) for n in plain]
    out += [activation(n, (6, 4), seed=12) for n in ("glu", "swiglu", "geglu", "reglu", "maxout")]
    out += [activation("square", scale=.5), activation("cube", (4,), scale=.5),
            activation("log_softmax", seed=12),
            activation("maxout", (6, 3), pieces=3),
            activation("hard_tanh", min_val=-.5, max_val=2),
            activation("leaky_relu", slope=.3), activation("elu", alpha=.5),
            activation("celu", alpha=2), activation("softplus", beta=2, threshold=3),
            activation("softshrink", **{"lambda": .2}), activation("hard_shrink", **{"lambda": .2}),
            activation("threshold", threshold=.3, value=-.2),
            activation("rrelu", lower=.2, upper=.2),
            activation("prelu", unset="activation.weight", init=.1)]
    served = [activation("rrelu", about="as it serves"),
              activation("rrelu", about="as it serves, other bounds", lower=.1, upper=.5)]
    return out + [{**c, "serve": True} for c in served]


def norm(name, about="", units=4, **over):
    knobs = over.pop("knobs", {})
    layer = {"units": units, "norm": {"name": name, **knobs}, "activation": TANH}
    return case("norm", name, about or told(knobs), model={"layers": [layer, layer]}, **over)


def norms():
    out = [norm(n, units=8 if n == "group" else 4) for n in nets.NORM]
    return out + [norm("batch", knobs={"momentum": .3, "eps": .01}),
                  norm("layer", knobs={"eps": .1}), norm("rms", knobs={"eps": .1}),
                  norm("group", units=6, knobs={"groups": 2, "eps": .1}),
                  norm("batch", "as it serves", serve=True),
                  norm("weight", "adamw", optimizer={"name": "adamw", "lr": .02})]


def loss(name, data, about="", **knobs):
    return case("loss", name, about or told(knobs) or data, data=data, loss={"name": name, **knobs})


def losses():
    return [
        loss("binary_cross_entropy", "binary"),
        loss("binary_cross_entropy", "binary", label_smoothing=.2),
        loss("cross_entropy", "classes"), loss("cross_entropy", "two_classes"),
        loss("cross_entropy", "classes", label_smoothing=.2),
        loss("mse", "number"), loss("mse", "numbers"), loss("mae", "numbers"),
        loss("huber", "numbers"), loss("huber", "number", delta=.4),
        loss("smooth_l1", "numbers"), loss("smooth_l1", "number", beta=.4),
        loss("log_cosh", "numbers"), loss("quantile", "numbers"), loss("quantile", "number", tau=.8),
        loss("poisson", "counts"), loss("gaussian_nll", "number"), loss("gaussian_nll", "numbers"),
        loss("gamma", "positive"), loss("tweedie", "positive"), loss("tweedie", "counts", power=1.2),
        loss("focal", "classes"), loss("focal", "two_classes", gamma=.7),
        loss("hinge", "binary"), loss("squared_hinge", "binary"),
        loss("multi_margin", "classes"), loss("multi_margin", "two_classes", p=2, margin=.5),
        loss("multilabel_bce", "labels"), loss("kl_div", "shares"),
    ]


def optimizer(name, about="", layers=((4, {}),), **knobs):
    return case("optimizer", name, about or told(knobs), optimizer={"name": name, **knobs},
                model={"layers": [{"units": u, "activation": TANH, **more} for u, more in layers]})


def lbfgs(seed, **knobs):
    """A least-squares problem: near a minimum of a wilder one, rounding decides where it goes."""
    return {**optimizer("lbfgs", **knobs), "data": "numbers", "loss": {"name": "mse"}, "seed": seed}


def narrowed(seed, units):
    """A search that narrows its bracket from both sides."""
    return {**lbfgs(seed, lr=10, max_iter=2),
            "model": {"layers": [{"units": units, "activation": TANH}]}}


def optimizers():
    adam = {"lr": .05, "betas": [.8, .9], "eps": .001, "weight_decay": .1}
    deep = ((5, {}), (4, {}))
    out = [optimizer(n, lr=.05) for n in ("adamw", "adam", "adamax", "nadam", "radam", "adopt",
                                          "adagrad", "rmsprop", "sgd")]
    out += [optimizer(n, **adam) for n in ("adamw", "adam", "adamax", "radam", "adopt")]
    out += [optimizer(n, amsgrad=True, **adam) for n in ("adamw", "adam")]
    return out + [
        optimizer("sgd", lr=.1, momentum=.9, nesterov=True),
        optimizer("sgd", lr=.1, momentum=.5, weight_decay=.1),
        optimizer("sgd", lr=.1, momentum=.7, dampening=.3, weight_decay=.1),
        optimizer("sgd", lr=.1, momentum=.5, nesterov=True, weight_decay=.1),
        optimizer("nadam", momentum_decay=.1, **adam),
        optimizer("radam", "few steps count", lr=.05, betas=[.8, .999]),
        optimizer("adagrad", lr=.1, lr_decay=.1, weight_decay=.1, initial_accumulator_value=.01,
                  eps=.001),
        optimizer("adadelta"), optimizer("adadelta", lr=.7, rho=.8, eps=.001, weight_decay=.1),
        optimizer("rmsprop", lr=.02, alpha=.9, eps=.01, momentum=.5, weight_decay=.1),
        optimizer("rmsprop", lr=.02, alpha=.9, eps=.01, centered=True),
        optimizer("rmsprop", lr=.02, alpha=.9, eps=.01, centered=True, momentum=.5),
        optimizer("lion", lr=.02), optimizer("lion", lr=.02, betas=[.8, .9], weight_decay=.2),
        optimizer("rprop"), optimizer("rprop", lr=.02, etas=[.6, 1.5], step_sizes=[.005, .05]),
        lbfgs(7, lr=.5, max_iter=1, history_size=3),
        lbfgs(1, lr=.2, max_iter=2, strong_wolfe=False),
        lbfgs(3, lr=.3, max_iter=3, max_eval=4, tolerance_grad=.02, tolerance_change=.01),
        {**lbfgs(1), "model": {"layers": []}, "about": "defaults"},
        lbfgs(1, lr=.05, max_iter=3), lbfgs(1, lr=30, max_iter=2),  # the search grows, shrinks
        narrowed(2, 2), narrowed(8, 5),
        optimizer("muon", layers=deep), optimizer("muon", layers=deep, lr=.05, momentum=.8,
                                                  weight_decay=.2, adam_lr=.01),
        optimizer("schedule_free_adamw", lr=.05),
        optimizer("schedule_free_adamw", **adam),
        optimizer("sgd", lr=.1, sam=.1), optimizer("adam", lr=.05, sam=.05),
        optimizer("sgd", lr=.1, momentum=.9, lookahead=3),
        optimizer("adamw", lr=.05, lookahead=5, lookahead_alpha=.8),
    ]


def schedule(name, about="", per_epoch=2, **knobs):
    return case("schedule", name, about or told(knobs), schedule={"name": name, **knobs},
                per_epoch=per_epoch)


def schedules():
    usual = [schedule(n) for n in nets.SCHEDULE if n != "multi_step"]
    warm = [schedule(n, "with warm-up", warmup=.25) for n in ("cosine", "flat_cos", "coslog")]
    return usual + warm + [
        schedule("multi_step", milestones=[2, 5, 9]),
        schedule("multi_step", milestones=[3, 6], gamma=.5),
        schedule("cosine", min=.2), schedule("step", step_size=3, gamma=.5),
        schedule("exponential", gamma=.7), schedule("polynomial", power=2, end=.1),
        schedule("polynomial", power=2), schedule("inverse_time", rate=.5),
        schedule("inverse_sqrt", warmup=5), schedule("step", "warm-up", step_size=2, warmup=4),
        schedule("cosine_restarts", t_0=3), schedule("cosine_restarts", t_0=2, t_mult=2, min=.1),
        schedule("one_cycle", pct_start=.5, div_factor=10, final_div_factor=100),
        schedule("cyclic", base=.2, step_size_up=2),
        schedule("plateau", per_epoch=1, patience=1, factor=.5, threshold=.05, cooldown=2, min=.1),
        schedule("plateau", per_epoch=2, patience=0, factor=.3, threshold=.04),
        schedule("flat_cos", flat=.2), schedule("coslog", cycles=2),
    ]


def inits():
    def init(name, start, **knobs):
        return case("init", name, told(knobs), constant=start, model={
            "layers": [{"units": 4, "activation": TANH}], "init": {"name": name, **knobs}})
    out = [init("zeros", 0.), init("constant", .1), init("constant", .3, value=.3)]
    for c in out:
        c["reference"] = "torch.nn.init." + c["row"].replace("zeros", "zeros_").replace(
            "constant", "constant_")
    return out


def regularizers():
    def made(name, reference="formula", **over):
        return {**case("", name, **over), "reference": reference}

    def penalty(name, reference="formula", **r):  # more weights than a running sum has lanes
        return made(name, reference, training={}, regularization=r,
                    model={"layers": [{"units": 7, "activation": TANH}]})
    wide = {"units": 3, "activation": TANH, "residual": 1}
    return [
        penalty("l1", l1=.02), penalty("l2", l2=.1), penalty("elastic_net", l1=.01, l2=.05),
        penalty("max_norm", "torch.renorm", max_norm=1),
        penalty("gradient_clip_norm", "torch.nn.utils.clip_grad_norm_", gradient_clip_norm=.1),
        penalty("gradient_clip_value", "torch.nn.utils.clip_grad_value_", gradient_clip_value=.02),
        made("batches", "torch.optim.SGD", training={"batch_size": 4}),
        made("ema", training={"ema": .8}), made("swa", training={"swa": .4}),
        made("ema_of_batches", training={"ema": .7, "batch_size": 4}),
        made("swa_of_batches", training={"swa": .25, "batch_size": 4},
             schedule={"name": "cosine"}),
        made("swa_of_batch_norm", "torch.optim.swa_utils.update_bn",
             training={"swa": .25, "batch_size": 4}, model={
                 "layers": [{"units": 4, "norm": {"name": "batch"}, "activation": TANH}]}),
        made("row_weights", row_weights=[.5, 2, 1, 0, 1.5, 3, 1, 1, .25, 2, 1, .7]),
        made("class_weights", "torch.nn.CrossEntropyLoss", class_weight=[.5, 2, 1.25],
             row_weights=[.5, 2, 1.25] * 4),
        made("batches_of_weighted_rows", training={"batch_size": 4},
             row_weights=[.5, 2, 1, .1, 1.5, 3, 1, 1, .25, 2, 1, .7]),
        made("residual", model={"layers": [wide, {**wide, "residual": 2}]}),
        made("param_groups", "torch.optim.Optimizer.param_groups",
             optimizer={"name": "adamw", "lr": .05, "weight_decay": .2},
             param_groups=[{"match": "*.bias", "lr": .3, "weight_decay": 0},
                           {"match": "layers.0.*", "lr": 2, "weight_decay": .5}]),
        made("param_groups_of_sgd", "torch.optim.Optimizer.param_groups",
             optimizer={"name": "sgd", "lr": .05, "momentum": .9, "weight_decay": .2},
             param_groups=[{"match": "output.*", "lr": .1, "weight_decay": 2}]),
    ]


CASES = {"activation": activations(), "norm": norms(), "loss": losses(),
         "optimizer": optimizers(), "schedule": schedules(), "init": inits(),
         "regularization": regularizers()}
