// Draws, shows what the network computes, and lets it learn. All arithmetic is in the module.

const MODULE = "target/wasm32-unknown-unknown/release/digits_page.wasm";
const DATA = "../data/digits-";
// Steps of 32 images: four passes through the 1,797 digits.
const STEPS = 240;

const element = (id) => document.getElementById(id);
const network = (await WebAssembly.instantiate(await bytes(MODULE), {})).instance.exports;

async function bytes(path) {
    const response = await fetch(path);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
}

// A view of the module's memory. A new one each time: the old one is invalid after the memory has grown.
const floats = (address, length) => new Float32Array(network.memory.buffer, address, length);

// ---- training on the data set, before anything is drawn

async function train() {
    // IDX files: headers of 16 and 8 bytes, then a byte for each pixel (0 to 16) and each digit.
    const [images, digits] = await Promise.all([
        bytes(DATA + "images-idx3-ubyte"),
        bytes(DATA + "labels-idx1-ubyte"),
    ]);
    for (let i = 0; i < digits.length - 8; i++) {
        const pixels = images.subarray(16 + 64 * i, 16 + 64 * (i + 1));
        floats(network.small_image(), 64).set(Array.from(pixels, (pixel) => pixel / 16));
        network.enlarge();
        network.add_sample(digits[8 + i]);
    }
    for (let step = 1; step <= STEPS; step++) {
        const loss = network.train_step();
        if (step % 10 === 0) {
            element("status").textContent = `training: step ${step} of ${STEPS}, loss ${loss.toFixed(3)}`;
            // Lets the page draw.
            await new Promise((done) => setTimeout(done));
        }
    }
}

// ---- drawing

const drawing = element("drawing");
const pen = drawing.getContext("2d", { willReadFrequently: true });
pen.lineWidth = 38;
pen.lineCap = pen.lineJoin = "round";

drawing.addEventListener("pointerdown", (event) => {
    drawing.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(event.offsetX, event.offsetY);
    draw(event);
});
drawing.addEventListener("pointermove", (event) => {
    if (event.buttons) draw(event);
});

function draw(event) {
    pen.lineTo(event.offsetX, event.offsetY);
    pen.stroke();
    show();
}

element("clear").addEventListener("click", () => {
    pen.clearRect(0, 0, 280, 280);
    element("answer").textContent = "\u00a0";
});

// The drawing as the data set has its digits: cut out, scaled to 32 by 32, and the black pixels counted in blocks of 4
// by 4.
function small() {
    const { data } = pen.getImageData(0, 0, 280, 280);
    let [left, top, right, bottom] = [280, 280, 0, 0];
    for (let i = 0; i < 280 * 280; i++) {
        if (data[4 * i + 3] < 128) continue;
        const [x, y] = [i % 280, Math.floor(i / 280)];
        left = Math.min(left, x);
        right = Math.max(right, x + 1);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y + 1);
    }
    const [width, height] = [right - left, bottom - top];
    const scale = 32 / Math.max(width, height);
    const page = new OffscreenCanvas(32, 32).getContext("2d");
    const [w, h] = [width * scale, height * scale];
    page.drawImage(drawing, left, top, width, height, (32 - w) / 2, (32 - h) / 2, w, h);
    const scaled = page.getImageData(0, 0, 32, 32).data;
    const result = new Float32Array(64);
    for (let i = 0; i < 32 * 32; i++) {
        const block = 8 * Math.floor(i / 128) + Math.floor((i % 32) / 4);
        result[block] += scaled[4 * i + 3] / 255 / 16;
    }
    return result;
}

function classify() {
    floats(network.small_image(), 64).set(small());
    network.enlarge();
    return network.classify();
}

// ---- the scores and activations

const bars = Array.from({ length: 10 }, (_, digit) => {
    const row = document.createElement("div");
    row.className = "score";
    row.append(String(digit), document.createElement("div"));
    element("scores").append(row);
    return row.lastElementChild;
});

// Height, width, channels, and how many channels are beside each other.
const LAYERS = [
    { name: "edges", height: 13, width: 13, channels: 32, across: 8, zoom: 2 },
    { name: "shapes", height: 5, width: 5, channels: 64, across: 16, zoom: 3 },
    { name: "features", height: 1, width: 1, channels: 128, across: 16, zoom: 16 },
];
for (const layer of LAYERS) {
    const figure = document.createElement("figure");
    layer.canvas = document.createElement("canvas");
    layer.canvas.width = layer.across * (layer.width + 1);
    layer.canvas.height = (layer.channels / layer.across) * (layer.height + 1);
    layer.canvas.style.width = `${layer.canvas.width * layer.zoom}px`;
    const caption = document.createElement("figcaption");
    caption.textContent = `${layer.name}: ${layer.height}x${layer.width}x${layer.channels}`;
    figure.append(layer.canvas, caption);
    element("layers").append(figure);
}

function show() {
    const digit = classify();
    element("answer").textContent = digit;
    const scores = floats(network.activations(3), 10);
    const highest = Math.max(...scores);
    const exps = Array.from(scores, (score) => Math.exp(score - highest));
    const sum = exps.reduce((a, b) => a + b);
    bars.forEach((bar, i) => (bar.style.width = `${(200 * exps[i]) / sum}px`));
    LAYERS.forEach(showLayer);
}

// Each channel as a small image; black is the largest activation of the layer.
function showLayer({ canvas, height, width, channels, across }, layer) {
    const values = floats(network.activations(layer), height * width * channels);
    const largest = Math.max(...values) || 1;
    const image = new ImageData(canvas.width, canvas.height);
    for (let i = 0; i < values.length; i++) {
        const [channel, pixel] = [i % channels, Math.floor(i / channels)];
        const x = (channel % across) * (width + 1) + (pixel % width);
        const y = Math.floor(channel / across) * (height + 1) + Math.floor(pixel / width);
        // Black, more or less opaque.
        image.data[4 * (y * canvas.width + x) + 3] = (255 * Math.max(values[i], 0)) / largest;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
}

// ---- corrections

for (let digit = 0; digit < 10; digit++) {
    const button = document.createElement("button");
    button.id = `correct-${digit}`;
    button.textContent = digit;
    button.addEventListener("click", () => {
        classify();
        let steps = 0;
        do {
            network.correct(digit);
            steps++;
        } while (network.classify() !== digit && steps < 50);
        element("status").textContent = `${steps} more training steps`;
        show();
    });
    element("digits").append(button);
}

await train();
element("status").textContent = "ready";
