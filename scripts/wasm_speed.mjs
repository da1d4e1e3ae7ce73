// The time of inference on one image in WebAssembly, beside onnxruntime-web on the same network, one thread each.
//
//     cd FOLDER && npm install onnxruntime-web
//     python scripts/digits_onnx.py FOLDER/digits.onnx            (needs the Python package onnx)
//     cd examples/browser && cargo build --release --no-default-features
//     node scripts/wasm_speed.mjs MODULE.wasm FOLDER
//
// Both take turns, one image each, so that a busy machine slows both. Prints minimum and median of 2,000 images.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [module, folder] = process.argv.slice(2).map((name) => path.resolve(name));
const resolve = createRequire(path.join(folder, "package.json")).resolve;
const ort = await import(pathToFileURL(resolve("onnxruntime-web")));
ort.default.env.wasm.numThreads = 1;

const pixels = Float32Array.from({ length: 784 }, (_, i) => (i % 17) / 17);

const network = (await WebAssembly.instantiate(await readFile(module), {})).instance.exports;
const fill = (address, values) => new Float32Array(network.memory.buffer, address, values.length).set(values);
fill(network.weights(), Float32Array.from({ length: network.weights_len() }, (_, i) => 0.05 * Math.sin(i)));
fill(network.image(), pixels);

const session = await ort.default.InferenceSession.create(new Uint8Array(await readFile(path.join(folder, "digits.onnx"))), {
    executionProviders: ["wasm"],
});
const x = new ort.default.Tensor("float32", pixels, [1, 1, 28, 28]);

const times = { unrolled: [], "onnxruntime-web": [] };
const calls = { unrolled: () => network.classify(), "onnxruntime-web": () => session.run({ x }) };
for (let round = -300; round < 2000; round++) {
    for (const [name, call] of Object.entries(calls)) {
        const begin = performance.now();
        await call();
        // The first calls compile the modules.
        if (round >= 0) times[name].push(1000 * (performance.now() - begin));
    }
}
for (const [name, of] of Object.entries(times)) {
    of.sort((a, b) => a - b);
    console.log(`${name}: minimum ${of[0].toFixed(0)} us, median ${of[of.length / 2].toFixed(0)} us`);
}
