#!/usr/bin/env python3
"""Writes the network of the example `digits` with random weights as ONNX, for scripts/wasm_speed.mjs.

    python scripts/digits_onnx.py FILE.onnx
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RANDOM = np.random.default_rng(0)


def weight(name, *shape):
    values = (RANDOM.standard_normal(shape) * 0.05).astype(np.float32)
    return numpy_helper.from_array(values, name)


def main():
    def conv(i, x):
        return [
            helper.make_node("Conv", [x, f"w{i}", f"b{i}"], [f"c{i}"], kernel_shape=[3, 3]),
            helper.make_node("Relu", [f"c{i}"], [f"r{i}"]),
            helper.make_node("MaxPool", [f"r{i}"], [f"p{i}"], kernel_shape=[2, 2], strides=[2, 2]),
        ]

    nodes = conv(1, "x") + conv(2, "p1") + [
        helper.make_node("Flatten", ["p2"], ["f"]),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["g"], transB=1),
        helper.make_node("Relu", ["g"], ["r3"]),
        helper.make_node("Gemm", ["r3", "w4", "b4"], ["y"], transB=1),
    ]
    shapes = [(32, 1, 3, 3), (64, 32, 3, 3), (128, 1600), (10, 128)]
    weights = [weight(f"w{i}", *shape) for i, shape in enumerate(shapes, 1)]
    weights += [weight(f"b{i}", shape[0]) for i, shape in enumerate(shapes, 1)]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 28, 28])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])
    graph = helper.make_graph(nodes, "digits", [x], [y], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, sys.argv[1])


if __name__ == "__main__":
    main()
