// The time of inference on one image in WebAssembly beside onnxruntime-web and TensorFlow.js on the same network, in
// headless Chromium on one thread each, and the bytes that the page loads for each of them.
//
//     cd FOLDER && npm install onnxruntime-web @tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm
//     python scripts/digits_onnx.py FOLDER/digits.onnx            (needs the Python package onnx)
//     cd examples/browser && cargo build --release --no-default-features
//     node scripts/wasm_speed.mjs MODULE.wasm FOLDER
//
// They take turns, 20 images each, since a page's clock has steps of 100 us, and a busy machine slows all of them. Prints
// minimum and median.

import path from "node:path";
import { withPage } from "./chromium.mjs";

// These functions run in the page. Each returns a function that classifies one image.

async function loadUnrolled(pixels) {
    const network = (await WebAssembly.instantiateStreaming(fetch("/unrolled.wasm"))).instance.exports;
    const fill = (address, values) => new Float32Array(network.memory.buffer, address, values.length).set(values);
    fill(network.weights(), Float32Array.from({ length: network.weights_len() }, (_, i) => 0.05 * Math.sin(i)));
    fill(network.image(), pixels);
    return () => network.classify();
}

async function loadOnnxruntime(pixels) {
    const ort = await import("/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs");
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create("/digits.onnx", { executionProviders: ["wasm"] });
    const x = new ort.Tensor("float32", pixels, [1, 1, 28, 28]);
    return async () => (await session.run({ x })).y.data;
}

// Operations with their activation where there are such, which are faster than a model of layers.
async function loadTensorflow(pixels) {
    const script = (src) =>
        new Promise((done) => document.head.append(Object.assign(document.createElement("script"), { src, onload: done })));
    await script("/node_modules/@tensorflow/tfjs-core/dist/tf-core.es2017.min.js");
    await script("/node_modules/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.es2017.min.js");
    tf.wasm.setWasmPaths("/node_modules/@tensorflow/tfjs-backend-wasm/dist/");
    await tf.setBackend("wasm");
    const weight = (...shape) => tf.randomNormal(shape, 0, 0.05);
    const convolutions = [[weight(3, 3, 1, 32), weight(32)], [weight(3, 3, 32, 64), weight(64)]];
    const dense = [[weight(1600, 128), weight(128), "relu"], [weight(128, 10), weight(10), "linear"]];
    const network = () => {
        let x = tf.tensor4d(pixels, [1, 28, 28, 1]);
        for (const [filter, bias] of convolutions) {
            x = tf.fused.conv2d({ x, filter, strides: 1, pad: "valid", bias, activation: "relu" });
            x = tf.maxPool(x, 2, 2, "valid");
        }
        x = tf.reshape(x, [1, 1600]);
        for (const [b, bias, activation] of dense) x = tf.fused.matMul({ a: x, b, bias, activation });
        return x.dataSync();
    };
    return () => tf.tidy(network);
}

async function measure(loaders) {
    const IMAGES = 20;
    const pixels = Float32Array.from({ length: 784 }, (_, i) => (i % 17) / 17);
    const rows = [];
    for (const [name, load] of Object.entries(loaders)) {
        performance.clearResourceTimings();
        const classify = await load(pixels);
        await classify();
        const files = performance.getEntriesByType("resource").filter((file) => !file.name.endsWith(".onnx"));
        rows.push({ name, classify, bytes: files.reduce((sum, file) => sum + file.decodedBodySize, 0), times: [] });
    }
    for (let round = -20; round < 100; round++) {
        for (const { classify, times } of rows) {
            const begin = performance.now();
            for (let i = 0; i < IMAGES; i++) await classify();
            // The first calls compile the modules.
            if (round >= 0) times.push((1000 * (performance.now() - begin)) / IMAGES);
        }
    }
    return rows.map(({ name, bytes, times }) => {
        times.sort((a, b) => a - b);
        return `${name}: ${bytes} bytes, minimum ${times[0].toFixed(0)} us, median ${times[times.length / 2].toFixed(0)} us`;
    });
}

const [module, folder] = process.argv.slice(2).map((name) => path.resolve(name));
const loaders = `{ unrolled: ${loadUnrolled}, "onnxruntime-web": ${loadOnnxruntime}, "TensorFlow.js": ${loadTensorflow} }`;
await withPage(
    "/package.json",
    (name) => (name === "/unrolled.wasm" ? module : path.join(folder, name)),
    async (browser) => console.log((await browser.evaluate(`(${measure})(${loaders})`)).join("\n")),
);
