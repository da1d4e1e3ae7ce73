// Opens examples/browser in headless Chromium, draws digits with the mouse, reads the answers, and corrects one.
//
//     node scripts/check_browser.mjs MODULE.wasm
//
// serves the repository on a free port; the page gets MODULE.wasm as its module.

import { spawn, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "..");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

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

// A client of the DevTools protocol: JSON messages that end in a zero byte, on file descriptors 3 and 4.
class Browser {
    constructor(program, folder) {
        const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"];
        this.process = spawn(program, [...flags, `--user-data-dir=${folder}`], {
            stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
        });
        this.calls = new Map();
        this.text = "";
        this.process.stdio[4].on("data", (data) => this.receive(data));
        // Calls to a browser that ended would wait forever.
        this.process.on("exit", () => {
            this.ended = true;
            for (const call of this.calls.values()) call.reject(new Error("Chromium ended"));
        });
    }

    receive(data) {
        const messages = (this.text + data).split("\0");
        this.text = messages.pop();
        for (const message of messages.map((text) => JSON.parse(text))) {
            const call = this.calls.get(message.id);
            if (!call) continue;
            this.calls.delete(message.id);
            if (message.error) call.reject(new Error(message.error.message));
            else call.resolve(message.result);
        }
    }

    call(method, params = {}) {
        const id = ++Browser.last;
        this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId: this.session })}\0`);
        return new Promise((resolve, reject) => this.calls.set(id, { resolve, reject }));
    }
    static last = 0;

    async open(url) {
        const { targetId } = await this.call("Target.createTarget", { url: "about:blank" });
        const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
        this.session = sessionId;
        await this.call("Page.enable");
        await this.call("Page.navigate", { url });
    }

    async evaluate(expression) {
        const { result, exceptionDetails } = await this.call("Runtime.evaluate", { expression, returnByValue: true });
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
    }

    async mouse(type, x, y) {
        const buttons = type === "mouseReleased" ? 0 : 1;
        await this.call("Input.dispatchMouseEvent", { type, x, y, button: "left", buttons, clickCount: 1 });
    }

    async close() {
        if (this.ended) return;
        this.session = undefined;
        const exit = new Promise((done) => this.process.on("exit", done));
        await this.call("Browser.close").catch(() => {});
        await exit;
    }
}

const find = (names) => names.find((name) => spawnSync(name, ["--version"]).status === 0);

function serve(module) {
    const server = createServer(async (request, response) => {
        const name = path.join(ROOT, path.normalize(new URL(request.url, "http://localhost").pathname));
        try {
            const content = await readFile(name.endsWith(".wasm") ? module : name);
            response.writeHead(200, { "content-type": TYPES[path.extname(name)] ?? "application/octet-stream" });
            response.end(content);
        } catch {
            response.writeHead(404).end();
        }
    });
    return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

async function untilReady(browser) {
    const status = "document.getElementById('status')?.textContent";
    for (const begin = Date.now(); Date.now() - begin < 300_000; ) {
        if ((await browser.evaluate(status)) === "ready") return;
        await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`the page is not ready: ${await browser.evaluate(status)}`);
}

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
    await untilReady(browser);
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

const program = find(["chromium", "chromium-browser", "google-chrome"]);
if (!program) {
    console.log("skipped: Chromium is not installed");
} else {
    const folder = mkdtempSync(path.join(tmpdir(), "unrolled-browser-"));
    const server = await serve(path.resolve(process.argv[2]));
    const browser = new Browser(program, folder);
    try {
        await browser.open(`http://127.0.0.1:${server.address().port}/examples/browser/index.html`);
        await check(browser);
    } finally {
        await browser.close();
        server.close();
        rmSync(folder, { recursive: true, force: true });
    }
}
