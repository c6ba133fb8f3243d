"""Writes tensor_cases.json: calls of Tensor's methods with the values and gradients that PyTorch gives. Needs PyTorch.

A case is {call, args, in, out[, seed, grads]}: `call` is a method of the first input ("Tensor.x": a static function), an argument
{"t": i} is input i, {"ts": [..]} a list of inputs. Tensors are {d: dtype, s: shape, v: values}. `grads` are those of the inputs after
backward(seed).
"""
import json
import os

import torch

NAMES = {torch.float32: "float32", torch.float64: "float64", torch.float16: "float16", torch.bfloat16: "bfloat16", torch.int64: "int64",
         torch.int32: "int32", torch.uint8: "uint8", torch.int8: "int8", torch.bool: "bool"}
F32, F64, I64, I32, BOOL = torch.float32, torch.float64, torch.int64, torch.int32, torch.bool
cases = []
torch.manual_seed(0)


def number(x, digits=9):
    if isinstance(x, bool) or isinstance(x, int):
        return int(x)
    if x != x:
        return "NaN"
    if x in (float("inf"), float("-inf")):
        return "Infinity" if x > 0 else "-Infinity"
    return float(f"{x:.{digits}g}")


def packed(t):
    digits = 9 if t.dtype == F32 else 17
    flat = t.detach().flatten()
    values = [number(x, digits) if t.is_floating_point() else int(x) for x in flat.tolist()]
    return {"d": NAMES[t.dtype], "s": list(t.shape), "v": values}


def random(shape, dtype=F32, low=-2.0, high=2.0):
    if dtype == BOOL:
        return torch.rand(shape) > 0.5
    if not dtype.is_floating_point:
        return torch.randint(int(low * 3), int(high * 3) + 1, shape, dtype=dtype)
    return ((torch.rand(shape, dtype=F64) * (high - low) + low) * 1000).round().div(1000).to(dtype)


def add(call, inputs, args, compute, grad=None):
    """`grad`: None decides by whether all inputs are f32 or f64 and the output is floating."""
    inputs = list(inputs)
    case = {"call": call, "args": args, "in": [packed(t) for t in inputs]}
    floating = bool(inputs) and all(t.dtype in (F32, F64) for t in inputs)
    wants = floating if grad is None else grad
    if wants:
        inputs = [t.clone().requires_grad_(t.is_floating_point()) for t in inputs]
    out = compute(*inputs)
    outs = list(out) if isinstance(out, (tuple, list)) else [out]
    case["out"] = [packed(o) for o in outs]
    if wants and len(outs) == 1 and outs[0].is_floating_point() and outs[0].requires_grad:
        seed = random(outs[0].shape, outs[0].dtype)
        outs[0].backward(seed)
        case["seed"] = packed(seed)
        case["grads"] = [packed(t.grad) if t.grad is not None else None for t in inputs]
    cases.append(case)


def unary():
    plain = {"neg": torch.neg, "abs": torch.abs, "sign": torch.sign, "exp": torch.exp, "sin": torch.sin, "cos": torch.cos, "tanh": torch.tanh,
             "sigmoid": torch.sigmoid, "erf": torch.erf, "floor": torch.floor, "ceil": torch.ceil, "round": torch.round, "relu": torch.relu,
             "gelu": torch.nn.functional.gelu, "silu": torch.nn.functional.silu, "softplus": torch.nn.functional.softplus,
             "square": torch.square}
    positive = {"log": torch.log, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal}
    whole_too = {"neg", "abs", "sign", "exp", "sin", "tanh", "sigmoid", "relu", "square", "log", "sqrt"}
    for table, low in ((plain, -2.0), (positive, 0.1)):
        for name, f in table.items():
            for shape in ((), (5,), (2, 3)):
                add(name, [random(shape, F32, low)], [], f)
            add(name, [random((2, 2), F64, low)], [], f)
            if name in whole_too:
                add(name, [random((4,), I64, max(low, 0.4))], [], f)
    halves = torch.tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.4999, 8388609.0])
    add("round", [halves], [], torch.round, grad=False)
    add("gelu", [random((3, 4))], ["tanh"], lambda x: torch.nn.functional.gelu(x, approximate="tanh"))
    special = torch.tensor([float("inf"), -float("inf"), float("nan"), 0.0, -1.0])
    for name in ("exp", "log", "sqrt", "tanh", "sigmoid", "abs", "relu", "floor"):
        add(name, [special], [], getattr(torch, name), grad=False)
    add("isNaN", [special], [], torch.isnan, grad=False)
    add("logicalNot", [random((5,), BOOL)], [], torch.logical_not)
    for exponent in (2, 3, 0.5, -1, 0):
        add("pow", [random((2, 3), F32, 0.2)], [exponent], lambda x: x ** exponent)
    add("pow", [random((4,), I64)], [3], lambda x: x ** 3)
    for low, high in ((-1, 1), (None, 0.5), (0, None)):
        add("clamp", [random((2, 4))], [low, high], lambda x: x.clamp(low, high))


def binary():
    arithmetic = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "maximum": torch.maximum, "minimum": torch.minimum}
    compare = {"eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge}
    shapes = [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 4)), ((), (3,)), ((3, 1, 2), (4, 1))]
    for name, f in arithmetic.items():
        for a, b in shapes:
            add(name, [random(a), random(b, F32, 0.3)], [{"t": 1}], f)
        add(name, [random((2, 2), I64), random((2,), I64, 1)], [{"t": 1}], f)
        add(name, [random((2, 2), I32), random((2, 2), F32, 0.3)], [{"t": 1}], f, grad=False)
        add(name, [random((3,), F64), random((3,), F32, 0.3)], [{"t": 1}], f)
    scalars = {"add": lambda x, s: x + s, "sub": lambda x, s: x - s, "mul": lambda x, s: x * s, "div": lambda x, s: x / s,
               "remainder": torch.remainder}
    for name, f in scalars.items():
        for s in (2, -0.5):
            add(name, [random((2, 3))], [s], lambda x: f(x, s), grad=None if name != "remainder" else False)
            add(name, [random((4,), I64)], [s], lambda x: f(x, s))
    add("remainder", [random((5,), I64), random((5,), I64, 1)], [{"t": 1}], torch.remainder)
    add("remainder", [random((2, 3)), random((3,), F32, 0.5)], [{"t": 1}], torch.remainder, grad=False)
    for name, f in compare.items():
        add(name, [random((2, 3), I64), random((3,), I64)], [{"t": 1}], f)
        add(name, [random((2, 3)), random((2, 1))], [{"t": 1}], f, grad=False)
        for s in (0, 0.5):
            add(name, [random((5,), I64)], [s], lambda x: f(x, s))
    for name, f in (("logicalAnd", torch.logical_and), ("logicalOr", torch.logical_or)):
        add(name, [random((2, 3), BOOL), random((3,), BOOL)], [{"t": 1}], f)
    add("Tensor.where", [random((2, 3), BOOL), random((2, 3)), random((3,))], [{"t": 0}, {"t": 1}, {"t": 2}], torch.where, grad=True)
    add("Tensor.where", [random((2, 3), BOOL), random((2, 3))], [{"t": 0}, {"t": 1}, 0], lambda c, a: torch.where(c, a, 0.0), grad=True)
    add("maskedFill", [random((2, 3)), random((2, 3), BOOL)], [{"t": 1}, -9], lambda x, m: x.masked_fill(m, -9), grad=True)
    for a, b in (((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 1, 3, 4), (5, 4, 2)), ((0, 3), (3, 2))):
        add("matmul", [random(a), random(b)], [{"t": 1}], torch.matmul)
    add("matmul", [random((3, 3), F64), random((3, 3), F64)], [{"t": 1}], torch.matmul)


def reductions():
    def dims_of(f, dim, keepdim):
        return (lambda x: f(x)) if dim is None and not keepdim else (lambda x: f(x, dim=dim, keepdim=keepdim))

    table = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin, "var": torch.var, "std": torch.std,
             "logsumexp": torch.logsumexp, "norm": torch.linalg.vector_norm}
    for name, f in table.items():
        for shape, dim, keepdim in (((2, 3), 0, False), ((2, 3), -1, True), ((2, 3, 2), [0, 2], False), ((2, 3, 2), [1], True)):
            add(name, [random(shape)], [dim, keepdim], dims_of(f, dim, keepdim))
        if name != "logsumexp":
            add(name, [random((2, 3))], [], (lambda x: f(x)))
        add(name, [random((3, 2), F64)], [1], lambda x: f(x, dim=1))
    for name, f in (("sum", torch.sum), ("max", torch.amax), ("min", torch.amin)):
        add(name, [random((2, 3), I64)], [1], lambda x: f(x, dim=1))
    add("sum", [random((2, 3), BOOL)], [], torch.sum)
    add("sum", [random((0, 3))], [0], lambda x: x.sum(0))
    add("var", [random((2, 4))], [1, False, 0], lambda x: x.var(1, correction=0))
    for name, f in (("all", torch.all), ("any", torch.any)):
        add(name, [random((3, 2), BOOL)], [1], lambda x: f(x, dim=1))
        add(name, [random((2, 2), F32)], [], f, grad=False)
    for name, f in (("argmax", torch.argmax), ("argmin", torch.argmin)):
        for dim, keepdim in ((None, False), (0, False), (-1, True)):
            add(name, [random((3, 4))], [dim, keepdim], (lambda x: f(x, dim=dim, keepdim=keepdim)), grad=False)
        add(name, [torch.tensor([1, 5, 5, -7, -7])], [0], lambda x: f(x, dim=0))
    for name, f in (("cumsum", torch.cumsum), ("softmax", torch.softmax), ("logSoftmax", torch.log_softmax)):
        for shape, dim in (((4,), 0), ((2, 3), 1), ((2, 3, 2), 0), ((2, 3, 2), -2)):
            add(name, [random(shape)], [dim], lambda x: f(x, dim=dim))
    add("softmax", [torch.tensor([[1000.0, 1000.0], [-1000.0, 0.0]])], [-1], lambda x: x.softmax(-1))
    add("logsumexp", [torch.tensor([[-float("inf"), -float("inf")], [float("inf"), 0.0]])], [1], lambda x: x.logsumexp(1), grad=False)
    norm = torch.nn.functional.layer_norm
    add("layerNorm", [random((2, 4))], [], lambda x: norm(x, (4,)))
    add("layerNorm", [random((2, 4)), random((4,)), random((4,))], [{"t": 1}, {"t": 2}, 1e-3], lambda x, w, b: norm(x, (4,), w, b, 1e-3))
    add("rmsNorm", [random((2, 4)), random((4,))], [{"t": 1}, 1e-3], lambda x, w: torch.nn.functional.rms_norm(x, (4,), w, 1e-3))


def shapes():
    for shape, target in (((2, 3), [3, 2]), ((2, 3), [-1]), ((2, 3), [1, 6, 1]), ((), [1]), ((0, 3), [3, 0])):
        add("reshape", [random(shape)], [target], lambda x: x.reshape(target))
        add("view", [random(shape)], [target], lambda x: x.view(target))
    for dims in ([1, 0, 2], [2, 1, 0], [0, -1, 1]):
        add("permute", [random((2, 3, 2))], [dims], lambda x: x.permute(dims))
    for a, b in ((0, 1), (-1, 0), (1, 1)):
        add("transpose", [random((2, 3, 2))], [a, b], lambda x: x.transpose(a, b))
    add("t", [random((2, 3))], [], lambda x: x.t())
    add("squeeze", [random((1, 2, 1))], [], lambda x: x.squeeze())
    for dim in (0, 1, -1):
        add("squeeze", [random((1, 2, 1))], [dim], lambda x: x.squeeze(dim))
    for dim in (0, 1, -1, -3):
        add("unsqueeze", [random((2, 3))], [dim], lambda x: x.unsqueeze(dim))
    for target in ([2, 3], [4, 2, 3], [-1, 3]):
        add("expand", [random((2, 1))], [target], lambda x: x.expand(target))
    for repeats in ([2, 1], [2, 1, 3], [1, 0]):
        add("repeat", [random((2, 3))], [repeats], lambda x: x.repeat(repeats))
    for start, end in ((0, -1), (1, 2), (0, 1)):
        add("flatten", [random((2, 3, 2))], [start, end], lambda x: x.flatten(start, end))
    for dim, start, end, step in ((0, 1, None, 1), (1, 0, 4, 2), (-1, -3, -1, 1), (1, 2, 99, 1), (0, 2, 1, 1)):
        def cut(x):
            index = [slice(None)] * x.dim()
            index[dim] = slice(start, end, step)
            return x[tuple(index)]
        add("slice", [random((3, 5))], [dim, start, end, step], cut)
    for dim, index in ((0, 1), (1, -1)):
        add("select", [random((3, 4))], [dim, index], lambda x: x.select(dim, index))
    for size, dim in ((2, 0), (1, 1), (7, 0), ([1, 4], 0), ([2, 0, 1], -1)):
        add("split", [random((5, 3))], [size, dim], lambda x: x.split(size, dim))
    for chunks, dim in ((2, 0), (3, 0), (4, 1)):
        add("chunk", [random((5, 3))], [chunks, dim], lambda x: x.chunk(chunks, dim))
    for dim in (0, 1, -1):
        add("Tensor.concat", [random((2, 2)), random((2, 2))], [{"ts": [0, 1]}, dim], lambda a, b: torch.cat([a, b], dim))
        add("Tensor.stack", [random((2, 2)), random((2, 2))], [{"ts": [0, 1]}, dim], lambda a, b: torch.stack([a, b], dim))
    add("Tensor.cat", [random((1, 2)), random((3, 2)), random((0, 2))], [{"ts": [0, 1, 2]}], lambda *x: torch.cat(x))
    index = torch.tensor([[0, 2, 1], [1, 1, 0]])
    add("gather", [random((3, 3)), index], [0, {"t": 1}], lambda x, i: x.gather(0, i), grad=True)
    add("gather", [random((2, 3)), index], [1, {"t": 1}], lambda x, i: x.gather(1, i), grad=True)
    add("scatterAdd", [random((3, 3)), index, random((2, 3))], [0, {"t": 1}, {"t": 2}], lambda x, i, s: x.scatter_add(0, i, s), grad=True)
    for dim in (0, 1):
        add("indexSelect", [random((3, 3)), torch.tensor([2, 0, 2])], [dim, {"t": 1}], lambda x, i: x.index_select(dim, i), grad=True)
        add("flip", [random((3, 2))], [dim], lambda x: x.flip(dim))
    for before, after in ((1, 2), (0, 1)):
        add("pad", [random((2, 3))], [1, before, after], lambda x: torch.nn.functional.pad(x, (before, after)))
    for diagonal in (-1, 0, 1):
        add("tril", [random((3, 4))], [diagonal], lambda x: x.tril(diagonal))
        add("triu", [random((3, 4))], [diagonal], lambda x: x.triu(diagonal))
    for source in (F32, F64, I64, I32, BOOL, torch.float16, torch.bfloat16):
        for target in (F32, F64, I64, I32, BOOL, torch.float16, torch.bfloat16):
            add("to", [random((4,), source)], [NAMES[target]], lambda x: x.to(target), grad=False)


def creation():
    for args, f in (([5], lambda: torch.arange(5)), ([1, 7, 2], lambda: torch.arange(1, 7, 2)), ([0, 1, 0.25], lambda: torch.arange(0, 1, 0.25)),
                    ([5, 0, -2], lambda: torch.arange(5, 0, -2))):
        add("Tensor.arange", [], args, f)
    add("Tensor.zeros", [], [[2, 3]], lambda: torch.zeros(2, 3))
    add("Tensor.ones", [], [[2]], lambda: torch.ones(2))
    add("Tensor.full", [], [[2, 1], 2.5], lambda: torch.full((2, 1), 2.5))
    add("Tensor.eye", [], [3], lambda: torch.eye(3))


for group in (unary, binary, reductions, shapes, creation):
    group()
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tensor_cases.json")
with open(path, "w", encoding="utf-8") as file:
    file.write('{"made_with":' + json.dumps({"torch": torch.__version__}) + ',"cases":[\n')
    file.write(",\n".join(json.dumps(case, separators=(",", ":")) for case in cases))
    file.write("\n]}\n")
print(len(cases), "cases,", sum("grads" in case for case in cases), "with gradients")
