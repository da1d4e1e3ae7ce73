#!/usr/bin/env python3
"""Prints sizes of the code, test code left out: python scripts/structure.py [ROOT_OF_A_CHECKOUT]

Modules in cycles, functions with many parameters, lengths of functions and files, comments, `unsafe`, and the lines of an
activation. To compare with an older version, check it out with `git worktree add` and name its folder.
"""

import pathlib
import sys

import check_modules
from rust_source import OPEN, after_group, after_attribute, after_item, is_code, is_test_attribute, read_crate, tokens
from rust_source import without_tests

CRATES = {"unrolled": "src", "shape": "nn-shape/src", "weights": "nn-weights/src", "macros": "nn-macros/src", "runtime": "nn-runtime/src", "fmt": "nn-fmt/src"}
MOST_PARAMETERS = 5
ACTIVATION = "elu"


def count_test_lines(all_tokens):
    """The lines that items for tests alone span."""
    lines, at = 0, 0
    while at < len(all_tokens):
        end = after_attribute(all_tokens, at)
        if end > at and all_tokens[at + 1].text != "!" and is_test_attribute(all_tokens[at:end]):
            after = after_item(all_tokens, end)
            lines += all_tokens[after - 1].line - all_tokens[at].line + 1
            at = after
        else:
            at += 1
    return lines


def count_parameters(code, opening):
    """The parameters in the parentheses that open at `opening`; `self` is one."""
    count, at, angles, seen = 0, opening + 1, 0, False
    end = after_group(code, opening) - 1
    while at < end:
        text = code[at].text
        if code[at].kind == "other" and text in OPEN:
            seen, at = True, after_group(code, at)
            continue
        angles += (text == "<") - (text == ">")
        if text == "," and angles == 0:
            count, seen = count + seen, False
        else:
            seen = True
        at += 1
    return count + seen


def functions(code):
    """Each function's name, line, number of parameters, and number of lines or None for one without a body."""
    for at, token in enumerate(code[:-1]):
        # A function pointer has a parenthesis in place of a name; a macro's `$name` is a name.
        if token.text != "fn" or token.kind != "ident" or code[at + 1].text == "(":
            continue
        opening = at + 2 + (code[at + 1].text == "$")
        name = code[opening - 1].text
        angles = 0
        while opening < len(code) and (angles or code[opening].text != "("):
            angles += (code[opening].text == "<") - (code[opening].text == ">")
            opening += 1
        if opening >= len(code):
            continue
        parameters = count_parameters(code, opening)
        body = after_group(code, opening)
        while body < len(code) and code[body].text not in ("{", ";"):
            # `where` clauses and return types may contain arrays: `[f32; N]`.
            body = after_group(code, body) if code[body].text in ("[", "(") else body + 1
        lines = None
        if body < len(code) and code[body].text == "{":
            lines = code[after_group(code, body) - 1].line - token.line + 1
        yield name, token.line, parameters, lines


def quantile(values, part):
    values = sorted(values)
    return values[min(int(len(values) * part), len(values) - 1)] if values else 0


def measure(root):
    files = sorted({module.file for module in read_crate(root / "lib.rs").all()})
    found = {"many": [], "functions": [], "files": [], "comments": 0, "unsafe_fn": 0, "unsafe_block": 0, "count": 0}
    for file in files:
        text = file.read_text()
        every = tokens(text)
        kept = without_tests(every)
        code = [token for token in kept if is_code(token)]
        found["files"].append((len(text.splitlines()) - count_test_lines(every), file))
        found["comments"] += sum(
            token.text.count("\n") + 1 for token in kept if token.kind == "comment"
        )
        for name, line, parameters, lines in functions(code):
            found["count"] += 1
            if parameters > MOST_PARAMETERS:
                found["many"].append((parameters, f"{file}:{line} {name}"))
            if lines is not None:
                found["functions"].append((lines, f"{file}:{line} {name}"))
        for at, token in enumerate(code[:-1]):
            if token.text == "unsafe" and token.kind == "ident":
                following = [other.text for other in code[at + 1 : at + 4]]
                # `unsafe extern "C" fn` too; a pointer type `unsafe fn(..)` is no function.
                is_function = "fn" in following[:3] and following[0] in ("fn", "extern")
                found["unsafe_fn"] += is_function and following[following.index("fn") + 1 :][:1] != ["("]
                found["unsafe_block"] += following[0] == "{"
    return found


def main():
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    rows, total = [], {"many": [], "functions": [], "files": [], "comments": 0, "unsafe_fn": 0, "unsafe_block": 0, "count": 0}
    for name, folder in CRATES.items():
        found = measure(top / folder)
        root = top / folder / "lib.rs"
        in_cycles = [
            sum(map(len, check_modules.components(check_modules.dependencies(read_crate(root), strict))))
            for strict in (False, True)
        ]
        rows.append((name, found, in_cycles))
        for key, value in found.items():
            total[key] += value
    rows.append(("all", total, [sum(row[2][i] for row in rows) for i in range(2)]))

    print("| crate | modules | in cycles (strict) | functions | over 5 parameters | function, median / p90 / longest "
          "| file, median / p90 / longest | `//` lines per function | `unsafe fn` | `unsafe` blocks |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for name, found, in_cycles in rows:
        lengths, files = [[size for size, _ in found[key]] for key in ("functions", "files")]
        spread = lambda sizes: f"{quantile(sizes, 0.5)} / {quantile(sizes, 0.9)} / {max(sizes, default=0)}"
        comments = found["comments"] / max(found["count"], 1)
        print(f"| {name} | {len(files)} | {in_cycles[0]} ({in_cycles[1]}) | {found['count']} | {len(found['many'])} | "
              f"{spread(lengths)} | {spread(files)} | {comments:.2f} | {found['unsafe_fn']} | {found['unsafe_block']} |")

    print()
    for title, key in [("longest functions", "functions"), ("longest files", "files"), ("most parameters", "many")]:
        print(f"{title}:")
        for size, where in sorted(total[key], key=lambda it: -it[0])[:5]:
            print(f"  {size} {str(where).removeprefix(str(top) + '/')}")

    print(f"an activation, `{ACTIVATION}`:")
    for folder in ("nn-shape/src/rules", "nn-runtime/src/layers"):
        file = top / folder / f"{ACTIVATION}.rs"
        if file.exists():
            text = file.read_text()
            lines = len(text.splitlines())
            print(f"  {folder}/{ACTIVATION}.rs: {lines} lines, {lines - count_test_lines(tokens(text))} without tests")


if __name__ == "__main__":
    main()
