// Opens examples/browser in headless Chromium, draws digits with the mouse, reads the answers, and corrects one.
//
//     node scripts/check_browser.mjs MODULE.wasm
//
// serves the repository on a free port; the page gets MODULE.wasm as its module.

import path from "node:path";
import { withPage } from "./chromium.mjs";

const ROOT = path.resolve(import.meta.dirname, "..");

// Strokes in a square of 280 pixels.
const circle = (x, y, rx, ry) =>
    Array.from({ length: 25 }, (_, i) => [x + rx * Math.sin((i * Math.PI) / 12), y - ry * Math.cos((i * Math.PI) / 12)]);
const DIGITS = {
    0: [circle(140, 140, 70, 105)],
    1: [[[110, 80], [150, 40], [150, 240]]],
    4: [[[150, 40], [70, 170], [210, 170]], [[170, 110], [170, 245]]],
    7: [[[70, 45], [210, 45], [120, 245]]],
    8: [circle(140, 85, 45, 45), circle(140, 188, 58, 57)],
};

const text = (browser, id) => browser.evaluate(`document.getElementById("${id}").textContent.trim()`);
const click = (browser, id) => browser.evaluate(`document.getElementById("${id}").click()`);

async function draw(browser, strokes) {
    await click(browser, "clear");
    const [left, top] = await browser.evaluate(
        "(() => { const r = document.getElementById('drawing').getBoundingClientRect(); return [r.left, r.top]; })()",
    );
    for (const stroke of strokes) {
        const points = stroke.map(([x, y]) => [left + x, top + y]);
        await browser.mouse("mousePressed", ...points[0]);
        for (const point of points) await browser.mouse("mouseMoved", ...point);
        await browser.mouse("mouseReleased", ...points.at(-1));
    }
    return text(browser, "answer");
}

async function check(browser) {
    const begin = Date.now();
    await browser.until("document.getElementById('status')?.textContent === 'ready'", 300);
    console.log(`trained in the page in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
    for (const [digit, strokes] of Object.entries(DIGITS)) {
        const answer = await draw(browser, strokes);
        console.log(`drew ${digit}: the page answers ${answer}`);
        if (answer !== digit) process.exitCode = 1;
    }
    // A triangle is none of them: the page learns to call it a 5.
    const before = await draw(browser, [[[140, 50], [50, 230], [230, 230], [140, 50]]]);
    await click(browser, "correct-5");
    const after = await text(browser, "answer");
    console.log(`drew a triangle: ${before}, and ${after} after the correction to 5 (${await text(browser, "status")})`);
    if (after !== "5") process.exitCode = 1;
    const ink = "document.querySelector('#layers canvas').getContext('2d').getImageData(0, 0, 112, 56).data.some((v) => v > 0)";
    if (!(await browser.evaluate(ink))) throw new Error("no activations are shown");
}

const module = path.resolve(process.argv[2]);
await withPage(
    "/examples/browser/index.html",
    (name) => (name.endsWith(".wasm") ? module : path.join(ROOT, name)),
    check,
);
