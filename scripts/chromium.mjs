// Headless Chromium, driven over the DevTools protocol, and a server of files for its pages.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

const TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
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
        const { errorText } = await this.call("Page.navigate", { url });
        if (errorText) throw new Error(`${url}: ${errorText}`);
        await this.until(`location.href === ${JSON.stringify(url)} && document.readyState === "complete"`, 10);
    }

    // Waits until an expression is true in the page.
    async until(expression, seconds) {
        for (const begin = Date.now(); Date.now() - begin < 1000 * seconds; ) {
            if (await this.evaluate(expression)) return;
            await new Promise((done) => setTimeout(done, 100));
        }
        throw new Error(`after ${seconds} s the page is not at: ${expression}`);
    }

    // The value of an expression in the page, or what it promises.
    async evaluate(expression) {
        const { result, exceptionDetails } = await this.call("Runtime.evaluate", {
            expression,
            returnByValue: true,
            awaitPromise: true,
        });
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

const program = ["chromium", "chromium-browser", "google-chrome"].find((name) => spawnSync(name, ["--version"]).status === 0);

// Serves the files that `locate` returns for the path of an address.
function serve(locate) {
    const server = createServer(async (request, response) => {
        const name = locate(path.normalize(new URL(request.url, "http://localhost").pathname));
        try {
            const content = await readFile(name);
            response.writeHead(200, { "content-type": TYPES[path.extname(name)] ?? "application/octet-stream" });
            response.end(content);
        } catch {
            response.writeHead(404).end();
        }
    });
    return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

// Opens the page of this path in Chromium, and calls `use` with the browser. Does nothing without Chromium.
export async function withPage(page, locate, use) {
    if (!program) {
        console.log("skipped: Chromium is not installed");
        return;
    }
    const folder = mkdtempSync(path.join(tmpdir(), "unrolled-browser-"));
    const server = await serve(locate);
    const browser = new Browser(program, folder);
    try {
        await browser.open(`http://127.0.0.1:${server.address().port}${page}`);
        await use(browser);
    } finally {
        await browser.close();
        server.close();
        rmSync(folder, { recursive: true, force: true });
    }
}
