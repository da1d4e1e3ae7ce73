"""A small reader of Rust source for check_modules.py and structure.py: tokens, test code removed, modules of a crate.

It is no full parser. It needs code that rustfmt accepts, and nothing outside Python's standard library.
"""

import pathlib
import re

TOKEN = re.compile(
    r"""
      (?P<doc>///[^\n]*|//![^\n]*)
    | (?P<comment>//[^\n]*)
    | (?P<raw>b?c?r(?P<hashes>\#*)".*?"(?P=hashes))
    | (?P<string>[bc]?"(?:\\.|[^"\\])*")
    | (?P<char>b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^'\\])')
    | (?P<lifetime>'[A-Za-z_]\w*)
    | (?P<ident>(?:r\#)?[A-Za-z_]\w*)
    | (?P<number>\d[\w.]*?(?=\.\.|[^\w.]|$)|\d\w*)
    | (?P<path>::)
    | (?P<arrow>->|=>)
    | (?P<space>\s+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
OPEN, CLOSE = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}


class Token:
    """A token with its kind (`ident`, `comment`, `doc`, `path`, `other`, ..), text and line."""

    __slots__ = ("kind", "text", "line")

    def __init__(self, kind, text, line):
        self.kind, self.text, self.line = kind, text, line

    def __repr__(self):
        return f"{self.text}@{self.line}"


def tokens(text):
    """All tokens but white space, comments included. Block comments may nest, so they are read by hand."""
    found, at, line = [], 0, 1
    while at < len(text):
        if text.startswith("/*", at):
            depth, end = 1, at + 2
            while depth and end < len(text):
                step = text[end : end + 2]
                depth += (step == "/*") - (step == "*/")
                end += 2 if step in ("/*", "*/") else 1
            found.append(Token("comment", text[at:end], line))
        else:
            match = TOKEN.match(text, at)
            end, kind = match.end(), match.lastgroup
            if kind == "hashes":
                kind = "raw"
            if kind != "space":
                found.append(Token(kind, match.group(), line))
        line += text.count("\n", at, end)
        at = end
    return found


def is_code(token):
    return token.kind not in ("comment", "doc")


def after_group(code, at):
    """The index after the group that opens at `at`."""
    depth = 0
    while at < len(code):
        depth += (code[at].text in OPEN and code[at].kind == "other") - (
            code[at].text in CLOSE and code[at].kind == "other"
        )
        at += 1
        if depth == 0:
            return at
    return at


def after_attribute(code, at):
    """The index after `#[..]` or `#![..]` at `at`, or `at` if there is none."""
    if at < len(code) and code[at].text == "#" and code[at].kind == "other":
        bracket = at + 1 + (at + 1 < len(code) and code[at + 1].text == "!")
        if bracket < len(code) and code[bracket].text == "[":
            return after_group(code, bracket)
    return at


def after_item(code, at):
    """The index after the item, field, arm or statement at `at`: its `;`, `,` or closing brace."""
    while True:
        while at < len(code) and not is_code(code[at]):
            at += 1
        following = after_attribute(code, at)
        if following == at:
            break
        at = following
    start, braces_end = at, True
    while at < len(code):
        text, kind = code[at].text, code[at].kind
        if kind == "ident" and text in ("use", "static", "const", "type", "let") and at - start < 6:
            following = next((t for t in code[at + 1 : at + 3] if is_code(t)), None)
            if not (text == "const" and following is not None and following.text in ("fn", "unsafe")):
                braces_end = False
        if kind == "other":
            if text in (";", ","):
                return at + 1
            if text in CLOSE:
                return at
            if text in OPEN:
                closes = after_group(code, at)
                if text == "{" and braces_end:
                    return closes
                at = closes
                continue
        at += 1
    return at


def is_test_attribute(attribute):
    """Whether `#[cfg(..)]` is for tests alone: `test` outside of `not(..)` and `any(..)`. `#[test]` and `#[bench]` are."""
    words = [token.text for token in attribute if token.kind == "ident"]
    if words[:1] in (["test"], ["bench"]):
        return True
    if words[:1] != ["cfg"] or "test" not in words:
        return False
    return "not" not in words and "any" not in words


def without_tests(all_tokens):
    """The tokens without items for tests alone."""
    kept, at = [], 0
    while at < len(all_tokens):
        end = after_attribute(all_tokens, at)
        if end > at and all_tokens[at + 1].text != "!" and is_test_attribute(all_tokens[at:end]):
            # Attributes and docs before the test attribute belong to the item, too; they do no harm.
            at = after_item(all_tokens, end)
        elif end > at and all_tokens[at + 1].text == "!" and is_test_attribute(all_tokens[at:end]):
            return []  # `#![cfg(test)]`: the whole file
        else:
            kept.append(all_tokens[at])
            at += 1
    return kept


class Module:
    """A module: a file, or a `mod name { .. }` in one."""

    def __init__(self, name, file, code, folder, parent=None):
        self.name, self.file, self.parent = name, file, parent
        self.children, self.uses, self.globs, self.code = {}, {}, [], []
        self.definitions = set()
        at = 0
        paths = []  # of `#[path = ".."]` and `#[cfg_attr(.., path = "..")]` before a module
        while at < len(code):
            end = after_attribute(code, at)
            if end > at:
                words = [token.text for token in code[at:end]]
                if "path" in words and words[words.index("path") + 1] == "=":
                    paths.append(words[words.index("path") + 2].strip('"'))
                self.code.extend(code[at:end])
                at = end
                continue
            token = code[at]
            if token.text == "mod" and token.kind == "ident" and code[at + 1].kind == "ident":
                child, following = code[at + 1].text, code[at + 2].text
                self.definitions.add(child)
                if following == ";":
                    self.children[child] = read_module(child, folder, paths, self)
                    at += 3
                elif following == "{":
                    end = after_group(code, at + 2)
                    self.children[child] = Module(child, file, code[at + 3 : end - 1], folder / child, self)
                    at = end
                else:
                    at += 1
                paths = []
                continue
            if token.text not in ("pub", "crate", "super", "in", "(", ")"):
                paths = []
            self.code.append(token)
            at += 1

    def root(self):
        return self if self.parent is None else self.parent.root()

    def all(self):
        yield self
        for child in self.children.values():
            yield from child.all()

    def path(self):
        return self.name if self.parent is None else f"{self.parent.path()}::{self.name}"


def read_module(name, folder, paths, parent):
    choices = [parent.file.parent / path for path in paths]
    choices = choices or [folder / f"{name}.rs", folder / name / "mod.rs"]
    for file in choices:
        if file.exists():
            code = [token for token in without_tests(tokens(file.read_text())) if is_code(token)]
            inside = file.parent if file.name == "mod.rs" else file.parent / name
            return Module(name, file, code, inside, parent)
    raise SystemExit(f"module `{name}` has no file in {folder}")


def read_crate(root_file):
    """The modules of the crate whose root is `root_file`."""
    root_file = pathlib.Path(root_file)
    code = [token for token in without_tests(tokens(root_file.read_text())) if is_code(token)]
    return Module("crate", root_file, code, root_file.parent)


def source_files(root_file):
    """The files of a crate that are compiled outside of tests."""
    return sorted({module.file for module in read_crate(root_file).all()})
