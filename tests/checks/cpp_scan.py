# SPDX-License-Identifier: Apache-2.0
"""Functions of C++ sources, found by their tokens: where they stand, how long they are, what they take.

Enough of the language for this tree; what it cannot follow (braces that do not match) is an error and never passed over. Bodies are
one unit: lambdas and local classes within are not functions of their own. Macros are not expanded.
"""
import dataclasses
import re

TOKEN = re.compile(r"[A-Za-z_]\w*|\d(?:'?[\w.])*|::|->|<=>|<<|[<>=!]=|\"|\S")
# Comments, literals and directives, in the order in which they hide each other.
HIDDEN = re.compile(r"""//[^\n]*|/\*.*?\*/|^[ \t]*\#(?:[^\n\\/]|\\.|/(?!\*))*|(?P<raw>R"(?P<mark>[^()\s\\]*)\(.*?\)(?P=mark)")"""
                    r"""|"(?:[^"\\\n]|\\.)*"|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'""", re.DOTALL | re.MULTILINE)
AFTER_NAME = {"noexcept", "decltype", "alignas", "requires", "explicit", "__attribute__", "static_assert", "sizeof", "if", "while", "for",
              "switch", "return", "catch"}
OPENS, CLOSES = {"(": ")", "{": "}", "[": "]"}, {")", "}", "]"}


@dataclasses.dataclass
class Function:
    name: str
    file: str
    line: int
    end: int  # the line of the closing brace; of a declaration alone: line
    parameters: int
    public: bool  # of no inner namespace (detail, nameless) and no private part of a class
    body: bool

    @property
    def length(self):
        return self.end - self.line + 1


def visible(text):
    """The text with comments, directives and the insides of literals blanked, line breaks kept; a text literal stays as quotes."""
    def blank(match):
        kept = re.sub(r"[^\n]", " ", match[0])
        return '"' + kept[1:-1] + '"' if match[0][0] in '"R' else kept
    return HIDDEN.sub(blank, text)


def tokens(text):
    """(token, line) of visible text; a text literal is one token \"."""
    found, line, at, inside = [], 1, 0, False
    for match in TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        if match[0] == '"':
            inside = not inside
        if match[0] != '"' or inside:
            found.append((match[0], line))
    return found


def closing(found, at):
    """Index of the bracket that closes the one at `at`."""
    stack = []
    for i in range(at, len(found)):
        token = found[i][0]
        if token in OPENS:
            stack.append(OPENS[token])
        elif token in CLOSES:
            if not stack or stack.pop() != token:
                raise ValueError(f"line {found[i][1]}: '{token}' closes nothing")
            if not stack:
                return i
    raise ValueError(f"line {found[at][1]}: '{found[at][0]}' is not closed")


def after_angles(found, at):
    """Index behind the template brackets that open at `at`."""
    depth = 0
    while at < len(found):
        token = found[at][0]
        if token in OPENS:
            at = closing(found, at)
        depth += (token == "<") - (token == ">")
        at += 1
        if depth == 0:
            return at
    raise ValueError(f"line {found[-1][1]}: '<' is not closed")


def arguments(found):
    """The arguments between two brackets, as lists of tokens."""
    parts, at, begin = [], 0, 0
    while at < len(found):
        token = found[at][0]
        if token in OPENS:
            at = closing(found, at)
        elif token == "<" and at > 0 and re.match(r"[A-Za-z_]", found[at - 1][0]):
            try:
                at = after_angles(found, at) - 1
            except ValueError:
                pass  # less than
        elif token == ",":
            parts.append(found[begin:at])
            begin = at + 1
        at += 1
    parts.append(found[begin:])
    return [p for p in parts if p and [t for t, _ in p] != ["void"]]


def signature(head):
    """(name, line, parameters) of the function a declaration's tokens declare, or None."""
    at = 0
    while at < len(head):
        token = head[at][0]
        if token == "=":
            return None
        if token == "operator":
            open_at = next((i for i in range(at + 1, len(head)) if head[i][0] == "(" and i > at + 1), None)
            if open_at is not None and [t for t, _ in head[at + 1:at + 3]] == ["(", ")"]:
                open_at = at + 3
            if open_at is None or open_at >= len(head):
                return None
            name = "operator" + "".join(t for t, _ in head[at + 1:open_at])
            return name, head[at][1], len(arguments(head[open_at + 1:closing(head, open_at)]))
        if token == "<" and at > 0:
            at = after_angles(head, at)
            continue
        if token == "(":
            name = head[at - 1][0] if at else ""
            end = closing(head, at)
            if re.match(r"[A-Za-z_]", name) and name not in AFTER_NAME:
                return name, head[at - 1][1], len(arguments(head[at + 1:end]))
            at = end
        at += 1
    return None


class Scan:
    def __init__(self, path, text):
        self.path, self.found, self.functions = path, tokens(visible(text)), []
        try:
            self.scope(0, len(self.found), True, None)
        except ValueError as fault:
            raise ValueError(f"{path}: {fault}") from fault

    def scope(self, at, end, public, access):
        """A file, namespace or class. access: whether members are public; None outside of classes."""
        head = []
        while at < end:
            token = self.found[at][0]
            if access is not None and token in ("public", "private", "protected") and self.found[at + 1][0] == ":":
                access, head, at = token == "public", [], at + 2
                continue
            if token in CLOSES:
                raise ValueError(f"line {self.found[at][1]}: '{token}' closes nothing")
            if token == ";":
                self.declare(head, public and access is not False)
                head = []
            elif token in "([":
                close = closing(self.found, at)
                head += self.found[at:close]
                at = close
                head.append(self.found[at])
            elif token == "{":
                close = closing(self.found, at)
                head = self.braces(head, at, close, public and access is not False)
                at = close
            else:
                head.append(self.found[at])
            at += 1

    def braces(self, head, at, close, public):
        """What `head { ... }` is; returns the head with which the scope goes on."""
        words = [t for t, _ in head]
        if "namespace" in words or words[:1] == ["extern"] and words[-1] == '"':
            inner = words[-1] == "detail" or words[-1] == "namespace"
            self.scope(at + 1, close, public and not inner, None)
            return []
        made = signature(head)
        kind = None if made else self.class_kind(head)
        if kind:
            if kind != "enum":
                self.scope(at + 1, close, public, kind != "class")
            return head[:1] if kind != "enum" else head
        if made and not self.initialises(head):
            name, line, parameters = made
            self.functions.append(Function(name, self.path, line, self.found[close][1], parameters, public, True))
            return []
        return head + [self.found[at], self.found[close]]  # a value: { ... } of a variable or of a member that is initialised

    @staticmethod
    def class_kind(head):
        at = 0
        while at < len(head):
            token = head[at][0]
            if token in ("class", "struct", "union", "enum"):
                return token
            at = after_angles(head, at) if token == "<" else at + 1
        return None

    @staticmethod
    def initialises(head):
        """Whether the brace behind a constructor's head begins a member's value: `: member{...}`."""
        open_at = next(i for i, (t, _) in enumerate(head) if t == "(")
        rest = [t for t, _ in head[closing(head, open_at) + 1:]]
        return ":" in rest and re.match(r"[A-Za-z_]|>", rest[-1]) is not None

    def declare(self, head, public):
        made = signature(head)
        if made and head[0][0] not in ("using", "typedef", "friend", "template") or made and head[0][0] == "template" and head[1][0] == "<":
            name, line, parameters = made
            self.functions.append(Function(name, self.path, line, line, parameters, public, False))


def functions(path, text):
    return Scan(path, text).functions


def launches(text):
    """(line, first argument as text) of every kernel launch: parallel_for, parallel_reduce, parallel_scan."""
    found = tokens(visible(text))
    for i in range(len(found) - 1):
        if re.fullmatch(r"parallel_(for|reduce|scan)", found[i][0]) and found[i + 1][0] == "(":
            first = arguments(found[i + 2:closing(found, i + 1)])[0]
            yield found[i][1], " ".join(t for t, _ in first)
