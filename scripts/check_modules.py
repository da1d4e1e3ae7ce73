#!/usr/bin/env python3
"""Finds cycles between the modules of each crate: python scripts/check_modules.py [--strict] [-v] [CRATE_ROOT.rs ..]

A module is a file; test code is left out. A name that a `mod.rs` re-exports counts for the file that defines it, and
the re-export itself is no dependency. With `--strict` both count for the `mod.rs`, so that a file that imports through
the `mod.rs` of its own folder is a cycle, and so are two folders that import from each other. Exit status 1 if there is
a cycle. `-v` prints every dependency.
"""

import collections
import pathlib
import sys

from rust_source import after_group, read_crate

ROOTS = ["src/lib.rs", "nn-shape/src/lib.rs", "nn-weights/src/lib.rs", "nn-macros/src/lib.rs", "nn-runtime/src/lib.rs", "nn-fmt/src/main.rs"]
DEFINING = {"fn", "struct", "enum", "union", "trait", "type", "const", "static"}


def read_use_tree(code, at, prefix):
    """The leaves of a use tree as (segments, name), and the index after it. The name of a glob is `*`."""
    segments = list(prefix)
    while True:
        token = code[at]
        if token.text == "{":
            end, leaves = after_group(code, at), []
            at += 1
            while at < end - 1:
                found, at = read_use_tree(code, at, segments)
                leaves += found
                at += at < end and code[at].text == ","
            return leaves, end
        if token.text == "*":
            return [(segments, "*")], at + 1
        if token.text == "::":
            at += 1
            continue
        segments.append(token.text.removeprefix("r#"))
        at += 1
        if code[at].text == "::":
            continue
        if segments[-1] == "self" and len(segments) > 1:
            segments.pop()
        name = segments[-1]
        if code[at].text == "as":
            name = code[at + 1].text
            at += 2
        return [(segments, name)], at


def collect(module):
    """Fills in what the module imports and defines, and keeps the code without its imports."""
    rest, at, code = [], 0, module.code
    module.imports = []  # (segments, name, whether it is a re-export, line)
    while at < len(code):
        token = code[at]
        if token.text == "use" and token.kind == "ident" and code[at + 1].text != "<":
            before = [other.text for other in code[max(0, at - 4) : at]]
            public = bool(before) and (before[-1] == "pub" or (before[-1] == ")" and "pub" in before))
            leaves, at = read_use_tree(code, at + 1, [])
            for segments, name in leaves:
                module.imports.append((segments, name, public, token.line))
                if name == "*":
                    module.globs.append(segments)
                else:
                    module.uses[name] = segments
            continue
        if token.kind == "ident" and token.text in DEFINING and code[at + 1].kind == "ident":
            module.definitions.add(code[at + 1].text)
        if token.text == "macro_rules" and code[at + 1].text == "!":
            module.definitions.add(code[at + 2].text)
        rest.append(token)
        at += 1
    module.code = rest


def resolve(module, segments, strict=False, seen=frozenset()):
    """The module that defines what `segments` names, seen from `module`, and whether it is a module itself.

    `None` for what another crate or the language defines. If `strict`, a re-export is a definition.
    """
    key = (id(module), tuple(segments))
    if key in seen:
        return None
    seen = seen | {key}
    here, first = module, True
    for index, segment in enumerate(segments):
        if segment in ("crate", "$crate"):
            here = module.root()
        elif segment == "self":
            pass
        elif segment == "super":
            here = here.parent
            if here is None:
                return None
        elif segment in here.children:
            here = here.children[segment]
        elif segment in here.uses and not (segment in here.definitions and here.uses[segment] == [segment]):
            found = resolve(here, here.uses[segment], strict, seen)
            if found is None:
                return None
            target, is_module = found
            if strict and here is not module and not is_module:
                return here, False
            if not is_module:
                return target, False
            here = target
        elif segment in here.definitions:
            return here, False
        else:
            for glob in here.globs:
                found = resolve(here, glob, strict, seen)
                if found and found[1] and found[0] is not here:
                    inside = resolve(found[0], segments[index:], strict, seen)
                    if inside:
                        return inside
            return None if first else (here, False)
        first = False
    return here, True


def dependencies(root, strict):
    """For each file the files it depends on, with the line and path that shows it."""
    modules = list(root.all())
    for module in modules:
        collect(module)
    macros = {}
    for module in modules:
        for index, token in enumerate(module.code):
            if token.text == "macro_rules" and module.code[index + 1].text == "!":
                macros[module.code[index + 2].text] = module
    edges = collections.defaultdict(dict)

    def depend(module, target, line, path):
        if target is not None and target.file != module.file:
            edges[module.file].setdefault(target.file, (line, path))

    for module in modules:
        edges[module.file]
        code = module.code
        words = {token.text for token in code if token.kind == "ident"}
        for segments, name, public, line in module.imports:
            found = resolve(module, segments, strict)
            if found is None or (public and not strict and name not in words):
                continue
            target, is_module = found
            if name == "*" and not public:
                depend(module, target, line, "::".join(segments) + "::*")
            elif not is_module:
                depend(module, target, line, "::".join(segments))
        at = 0
        while at < len(code) - 1:
            token = code[at]
            if token.kind == "ident" and code[at + 1].text == "!" and token.text in macros:
                if token.text not in module.uses and token.text not in module.definitions:
                    depend(module, macros[token.text], token.line, token.text + "!")
            starts = token.kind == "ident" and code[at + 1].text == "::"
            starts = starts and (at == 0 or code[at - 1].text not in ("::", "#"))
            if not starts:
                at += 1
                continue
            segments, end = [token.text], at + 1
            while end < len(code) - 1 and code[end].text == "::" and code[end + 1].kind == "ident":
                segments.append(code[end + 1].text)
                end += 2
            found = resolve(module, segments, strict)
            if found is not None and (not found[1] or code[end - 1].text == "::"):
                depend(module, found[0], token.line, "::".join(segments))
            at = end
    return edges


def components(edges):
    """Strongly connected components of more than one file (Tarjan, without recursion)."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []
    for start in sorted(edges):
        if start in index:
            continue
        work = [(start, iter(sorted(edges[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(sorted(edges.get(target, ())))))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = []
                    while True:
                        last = stack.pop()
                        on_stack.discard(last)
                        component.append(last)
                        if last == node:
                            break
                    if len(component) > 1:
                        found.append(sorted(component))
    return found


def shortest_cycle(edges, component):
    """One shortest cycle inside a component."""
    best, inside = None, set(component)
    for start in component:
        before, queue = {start: None}, collections.deque([start])
        while queue:
            node = queue.popleft()
            if start in edges[node]:
                cycle = []
                while node is not None:
                    cycle.append(node)
                    node = before[node]
                cycle.reverse()
                if best is None or len(cycle) < len(best):
                    best = cycle
                break
            for target in edges[node]:
                if target in inside and target not in before:
                    before[target] = node
                    queue.append(target)
    return best


def main():
    arguments = sys.argv[1:]
    verbose, strict = "-v" in arguments, "--strict" in arguments
    top = pathlib.Path(__file__).resolve().parent.parent
    roots = [pathlib.Path(root).resolve() for root in arguments if not root.startswith("-")] or [top / root for root in ROOTS]
    failed = False
    for root in roots:
        edges = dependencies(read_crate(root), strict)
        folder = root.parent
        name = lambda file: str(file.relative_to(folder)).removesuffix(".rs")
        if verbose:
            for file in sorted(edges):
                for target, (line, path) in sorted(edges[file].items()):
                    print(f"  {name(file)}:{line} -> {name(target)} ({path})")
        cycles = components(edges)
        knotted = sum(len(component) for component in cycles)
        shown = folder.parent.name if folder.parent != top else "unrolled"
        print(f"{shown}: {len(edges)} modules, {knotted} in cycles")
        for component in cycles:
            failed = True
            print(f"  cycle of {len(component)}: {', '.join(name(file) for file in component)}")
            cycle = shortest_cycle(edges, component)
            for file, target in zip(cycle, cycle[1:] + cycle[:1]):
                line, path = edges[file][target]
                print(f"    {name(file)}.rs:{line} uses {name(target)} ({path})")
    sys.exit(failed)


if __name__ == "__main__":
    main()
