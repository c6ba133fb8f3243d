"""Writes MiniLM (a BERT encoder) as ONNX, in the basic operations that exporters write and ONNX Runtime fuses.

    python minilm_onnx.py FOLDER OUT.onnx
"""
import json
import math
import struct
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

folder, out = sys.argv[1:]
config = json.load(open(f"{folder}/config.json"))
with open(f"{folder}/model.safetensors", "rb") as file:
    table = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    start = file.tell()
    weights = {}
    for name, row in table.items():
        if name == "__metadata__" or row["dtype"] != "F32":
            continue
        first, end = row["data_offsets"]
        file.seek(start + first)
        weights[name] = np.frombuffer(file.read(end - first), np.float32).reshape(row["shape"])

nodes, constants, count = [], {}, 0


def op(kind, *inputs, **attributes):
    global count
    count += 1
    nodes.append(helper.make_node(kind, list(inputs), [f"v{count}"], **attributes))
    return f"v{count}"


def constant(name, value):
    constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
    return name


def linear(x, name):
    return op("Add", op("MatMul", x, constant(f"{name}.w", weights[f"{name}.weight"].T)), constant(f"{name}.b", weights[f"{name}.bias"]))


def norm(x, name):
    scale, bias = (constant(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias"))
    return op("LayerNormalization", x, scale, bias, epsilon=config["layer_norm_eps"])


heads = config["num_attention_heads"]
width = config["hidden_size"] // heads
split = constant("split", np.array([0, 0, heads, width], np.int64))
join = constant("join", np.array([0, 0, heads * width], np.int64))
words = op("Gather", constant("words", weights["embeddings.word_embeddings.weight"]), "input_ids")
fixed = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
length = op("Gather", op("Shape", "input_ids"), constant("one", np.array([1], np.int64)))
places = op("Slice", constant("places", fixed), constant("zero", np.array([0], np.int64)), length)
x = norm(op("Add", words, places), "embeddings.LayerNorm")
mask = op("Unsqueeze", op("Cast", "attention_mask", to=TensorProto.FLOAT), constant("axes", np.array([1, 2], np.int64)))
mask = op("Mul", op("Sub", constant("unit", np.float32(1)), mask), constant("low", np.float32(np.finfo(np.float32).min)))
for layer in range(config["num_hidden_layers"]):
    base = f"encoder.layer.{layer}"

    def head(part, perm):
        return op("Transpose", op("Reshape", linear(x, f"{base}.attention.self.{part}"), split), perm=perm)

    scores = op("MatMul", head("query", [0, 2, 1, 3]), head("key", [0, 2, 3, 1]))
    scores = op("Add", op("Div", scores, constant("scale", np.float32(math.sqrt(width)))), mask)
    mixed = op("MatMul", op("Softmax", scores, axis=-1), head("value", [0, 2, 1, 3]))
    mixed = op("Reshape", op("Transpose", mixed, perm=[0, 2, 1, 3]), join)
    x = norm(op("Add", linear(mixed, f"{base}.attention.output.dense"), x), f"{base}.attention.output.LayerNorm")
    inner = linear(x, f"{base}.intermediate.dense")
    bell = op("Add", op("Erf", op("Div", inner, constant("root", np.float32(math.sqrt(2))))), constant("unit", np.float32(1)))
    inner = op("Mul", op("Mul", inner, bell), constant("half", np.float32(0.5)))
    x = norm(op("Add", linear(inner, f"{base}.output.dense"), x), f"{base}.output.LayerNorm")
nodes[-1].output[0] = "last_hidden_state"
shape = ["batch", "length"]
graph = helper.make_graph(
    nodes,
    "minilm",
    [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("input_ids", "attention_mask")],
    [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*shape, config["hidden_size"]])],
    list(constants.values()),
)
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), out)
