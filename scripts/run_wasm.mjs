// Prints the text that a module of tests/devices leaves in its memory.
//
//     node scripts/run_wasm.mjs MODULE.wasm

import { readFile } from "node:fs/promises";

const { instance } = await WebAssembly.instantiate(await readFile(process.argv[2]), {});
const { memory, report_address } = instance.exports;
// Called before the memory is viewed: a view is invalid after the memory has grown.
const pair = report_address();
const [address, length] = new Uint32Array(memory.buffer, pair, 2);
process.stdout.write(new TextDecoder().decode(new Uint8Array(memory.buffer, address, length)));
