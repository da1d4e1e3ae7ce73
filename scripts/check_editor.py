#!/usr/bin/env python3
"""Drives rust-analyzer over a program with a `network!` block, and checks completion, hover, definition and rename.

`--log FILE` writes what rust-analyzer answered at each position. Prints `skipped:` where rust-analyzer is not installed.
"""

import argparse
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Each `/*name*/` is a position. The program compiles as it is.
PROGRAM = """use unrolled::prelude::*;

const UNITS: usize = 32;

network! {
    /// Two convolutions with a skip connection.
    block /*block*/Basic(/*parameter*/channels, stride = 1) {
        Residual {
            conv1: Conv2d(/*use_of_parameter*/channels, kernel = 3, padding = /*word*/same), ReLU,
            Conv2d(channels, kernel = 3, /*argument*/padding = 1),
        },
    }

    /// Classifies images.
    pub struct Digits(image: 28x28x1, table: 4) -> 10 {
        /*line*/stem: /*source*/image => /*layer*/Conv2d(8, kernel = 3),
        ReLU,
        stage: /*use_of_block*/Basic(8),
        pooled: GlobalAvgPool,
        table => Dense(/*constant*/UNITS), side: ReLU,
        Concat { /*use_of_line*/pooled, side },
        /*empty*/
        head: Dense(10),
    }
}

fn main() {
    let net = Digits::new(1);
    let _ = net./*method*/forward((&[[[0.0; 1]; 28]; 28], &[0.0; 4]));
    println!("{}", net./*field*/stem.weight.len());
}
"""


class Server:
    """A rust-analyzer process: requests, and the notifications that it sends."""

    def __init__(self, command, environment, folder):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=environment, cwd=folder,
        )
        self.messages, self.number, self.quiet = queue.Queue(), 0, False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        stream = self.process.stdout
        while header := stream.readline():
            length = int(header.split(b":")[1])
            while stream.readline().strip():
                pass
            self.messages.put(json.loads(stream.read(length)))
        self.messages.put(None)

    def send(self, **message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def wait(self, done, seconds):
        """Handles messages until `done` returns a value for one of them."""
        end = time.monotonic() + seconds
        while True:
            try:
                message = self.messages.get(timeout=max(end - time.monotonic(), 0.01))
            except queue.Empty:
                sys.exit(f"rust-analyzer did not answer within {seconds} s")
            if message is None:
                sys.exit("rust-analyzer ended")
            if "id" in message and "method" in message:
                self.send(id=message["id"], result=None)
            if message.get("method") == "experimental/serverStatus":
                self.quiet = message["params"]["quiescent"]
            if (answer := done(message)) is not None:
                return answer

    def request(self, method, params, seconds=120):
        self.number += 1
        number = self.number
        self.send(id=number, method=method, params=params)

        def done(message):
            return message if message.get("id") == number and "method" not in message else None

        return self.wait(done, seconds)

    def end(self):
        self.request("shutdown", None)
        self.send(method="exit", params=None)
        self.process.wait(20)


def find_analyzer():
    """The command of a rust-analyzer that runs, and an environment whose Rust has a server for procedural macros."""
    system = {**os.environ, "PATH": f"/usr/bin:{os.environ['PATH']}"}
    for environment in (dict(os.environ), system):
        command = shutil.which("rust-analyzer", path=environment["PATH"])
        if not command:
            continue
        runs = subprocess.run([command, "--version"], env=environment, capture_output=True, cwd="/")
        sysroot = subprocess.run(
            ["rustc", "--print", "sysroot"], env=environment, capture_output=True, text=True, cwd="/"
        ).stdout.strip()
        server = pathlib.Path(sysroot, "libexec/rust-analyzer-proc-macro-srv")
        if runs.returncode == 0 and server.exists():
            return command, environment
    return None


class Editor:
    """An open file, whose text tests change."""

    def __init__(self, server, path):
        self.server, self.uri, self.version = server, path.as_uri(), 1
        self.marks, self.text = {}, PROGRAM
        while "/*" in self.text:
            begin = self.text.index("/*")
            end = self.text.index("*/")
            self.marks[self.text[begin + 2:end]] = begin
            self.text = self.text[:begin] + self.text[end + 2:]
        document = {"uri": self.uri, "languageId": "rust", "version": 1, "text": self.text}
        server.send(method="textDocument/didOpen", params={"textDocument": document})

    def position(self, offset, text=None):
        before = (text or self.text)[:offset]
        return {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}

    def ask(self, method, offset, **more):
        params = {"textDocument": {"uri": self.uri}, "position": self.position(offset), **more}
        return self.server.request(f"textDocument/{method}", params).get("result")

    def change(self, text):
        self.version += 1
        document = {"uri": self.uri, "version": self.version}
        changes = [{"text": text}]
        params = {"textDocument": document, "contentChanges": changes}
        self.server.send(method="textDocument/didChange", params=params)

    def complete(self, mark, typed, replaced="", after="", broken=False):
        """The labels that are offered between `typed` and `after`, which replace `replaced` at a mark."""
        at = self.marks[mark]
        assert self.text[at:].startswith(replaced), (mark, replaced)
        whole = self.text
        self.text = whole[:at] + typed + after + whole[at + len(replaced):]
        if broken:
            # A line with a mistake, before the position.
            self.text = self.text.replace("head: Dense(10)", "head: Dense(10, bias = )")
            at += len(self.text) - len(whole) - len(typed) - len(after) + len(replaced)
        self.change(self.text)
        answer = self.ask("completion", at + len(typed)) or []
        items = answer["items"] if isinstance(answer, dict) else answer
        self.text = whole
        self.change(whole)
        return [item["label"] for item in items]

    def hover(self, mark):
        answer = self.ask("hover", self.marks[mark] + 1)
        return answer["contents"]["value"] if answer else ""

    def definitions(self, mark):
        """The words that the definitions of the token at a mark begin with."""
        answer = self.ask("definition", self.marks[mark] + 1) or []
        lines = self.text.split("\n")
        words = []
        for one in answer:
            begin = (one.get("targetSelectionRange") or one.get("range"))["start"]
            if (one.get("targetUri") or one.get("uri")) == self.uri:
                words.append(f"{begin['line'] + 1}: {lines[begin['line']][begin['character']:]}")
            else:
                words.append(pathlib.Path(one.get("targetUri") or one["uri"]).name)
        return words

    def renamed(self, mark, name):
        """The lines that a rename of the token at a mark changes, as they are then."""
        answer = self.ask("rename", self.marks[mark] + 1, newName=name) or {}
        edits = [
            edit
            for change in answer.get("documentChanges", [])
            for edit in change["edits"]
        ] + [edit for edits in answer.get("changes", {}).values() for edit in edits]
        lines = self.text.split("\n")
        for edit in sorted(edits, key=lambda e: e["range"]["start"]["character"], reverse=True):
            begin, end = edit["range"]["start"], edit["range"]["end"]
            line = lines[begin["line"]]
            lines[begin["line"]] = line[:begin["character"]] + edit["newText"] + line[end["character"]:]
        before = self.text.split("\n")
        return [line.strip() for line, old in zip(lines, before) if line != old]


def checks(editor):
    """What each position must answer: a description, the answer, and whether it is right."""
    has = lambda *names: lambda answer: all(name in answer for name in names)
    cases = [
        ("completion of a layer, at an empty position", lambda: editor.complete("empty", ""), has("Conv2d", "Dense", "Basic", "Repeat")),
        ("completion of a layer that is half typed", lambda: editor.complete("layer", "Conv", "Conv2d(8, kernel = 3)"), has("Conv2d", "Conv1d")),
        ("completion of the first argument's name", lambda: editor.complete("layer", "Conv2d(o", "Conv2d(8, kernel = 3)", ")"), has("out_channels", "kernel", "padding")),
        ("completion of an argument's name that is half typed", lambda: editor.complete("argument", "pad", "padding = 1"), has("padding")),
        ("completion of an argument's word", lambda: editor.complete("word", "sa", "same"), has("same")),
        ("completion of a named value in a join", lambda: editor.complete("use_of_line", "poo", "pooled"), has("pooled")),
        ("completion of a named value as a source", lambda: editor.complete("source", "ima", "image"), has("image")),
        ("completion of a block's parameter", lambda: editor.complete("use_of_parameter", "cha", "channels"), has("channels")),
        ("completion of a block's argument", lambda: editor.complete("use_of_block", "Basic(8, str", "Basic(8"), has("stride")),
        ("completion of a constant", lambda: editor.complete("constant", "UN", "UNITS"), has("UNITS")),
        ("completion of a field, beside a broken line", lambda: editor.complete("field", "ste", "stem", broken=True), has("stem")),
        ("completion of a method, beside a broken line", lambda: editor.complete("method", "forw", "forward", broken=True), lambda answer: any(label.startswith("forward") for label in answer)),
        ("hover on a layer", lambda: editor.hover("layer"), has("convolution")),
        ("hover on an argument", lambda: editor.hover("argument"), has("zeros added")),
        ("hover on a line", lambda: editor.hover("line"), has("26x26x8", "80 parameters")),
        ("hover on the use of a block", lambda: editor.hover("use_of_block"), has("skip connection")),
        ("definition of a field", lambda: editor.definitions("field"), lambda answer: len(answer) == 1 and "stem: image" in answer[0]),
        ("definition of a named value", lambda: editor.definitions("use_of_line"), lambda answer: any("pooled: GlobalAvgPool" in one for one in answer)),
        ("definition of a block", lambda: editor.definitions("use_of_block"), lambda answer: len(answer) == 1 and "Basic(channels" in answer[0]),
        ("definition of a constant", lambda: editor.definitions("constant"), lambda answer: len(answer) == 1 and "UNITS: usize" in answer[0]),
        ("definition of a layer", lambda: editor.definitions("layer"), lambda answer: "conv2d.rs" in answer),
        ("rename of a field", lambda: editor.renamed("field", "first"), lambda answer: answer == ["first: image => Conv2d(8, kernel = 3),", 'println!("{}", net.first.weight.len());']),
        ("rename of a line", lambda: editor.renamed("use_of_line", "average"), lambda answer: answer == ["average: GlobalAvgPool,", "Concat { average, side },"]),
        ("rename of a block's parameter", lambda: editor.renamed("parameter", "width"), lambda answer: len(answer) == 3 and all("width" in line for line in answer)),
    ]
    for what, ask, right in cases:
        answer = ask()
        yield what, answer, right(answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=pathlib.Path)
    arguments = parser.parse_args()
    found = find_analyzer()
    if not found:
        print("skipped: no rust-analyzer with a server for procedural macros is installed (rustup component add rust-analyzer rust-src)")
        return
    command, environment = found
    target = ROOT / "target/editor"
    environment["CARGO_TARGET_DIR"] = str(target)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "src").mkdir()
        (folder / "src/main.rs").write_text(PROGRAM.replace("/*", "/* ").replace("*/", " */"))
        manifest = '[package]\nname = "editor"\nversion = "0.0.0"\nedition = "2024"\n\n[dependencies]\n'
        manifest += f'unrolled = {{ path = {json.dumps(str(ROOT))}, default-features = false, features = ["train", "files"] }}\n'
        (folder / "Cargo.toml").write_text(manifest)
        shutil.copy(ROOT / "Cargo.lock", folder)
        server = Server([command], environment, folder)
        options = {"checkOnSave": False, "procMacro": {"enable": True}, "cargo": {"buildScripts": {"enable": True}}}
        capabilities = {
            "experimental": {"serverStatusNotification": True},
            "textDocument": {"hover": {"contentFormat": ["markdown"]}, "definition": {"linkSupport": True}},
            "workspace": {"workspaceEdit": {"documentChanges": True}},
        }
        root = {"uri": folder.as_uri(), "name": "editor"}
        server.request("initialize", {"processId": os.getpid(), "rootUri": folder.as_uri(), "workspaceFolders": [root],
                                      "capabilities": capabilities, "initializationOptions": options})
        server.send(method="initialized", params={})
        editor = Editor(server, folder / "src/main.rs")
        if not server.quiet:
            server.wait(lambda message: server.quiet or None, 600)
        lines, failed = [], 0
        for what, answer, right in checks(editor):
            failed += not right
            shown = answer if isinstance(answer, str) else ", ".join(answer)
            lines.append(f"{'right' if right else 'WRONG'}: {what}\n    " + shown[:600].replace("\n", "\n    "))
            if not right:
                print(lines[-1])
        server.end()
    if arguments.log:
        arguments.log.write_text("\n".join(lines) + "\n")
    print(f"{len(lines) - failed} of {len(lines)} positions in an editor are right")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
