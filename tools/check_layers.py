"""Checks what docs/ARCHITECTURE.md forbids and a compiler does not see. Prints findings, then the counts of files.

In src: rooms include only the rooms below them; files have at most 600 lines; nothing prints, aborts or exits;
conditions on the machine stand only in base, backends, hub and weights; no two headers define classes of one name.
Includes of our own files are relative.
A model file, which declares an architecture, has at most 350 lines and composes what nn offers: no attention, softmax,
rotation, cache, mask or quantised twin of its own.
"""
import os
import re
import subprocess
import sys

CORE = ["base", "tensor", "ops"]
ABOVE_OPS = CORE + ["autograd", "graph", "weights", "quantization"]
MODELS = ABOVE_OPS + ["nn", "models", "tokenizers", "hub"]
GENERATION = MODELS + ["generation", "streaming"]
TRAIN = MODELS + ["train"]

# A room sees itself and these. A room that is not listed may not exist.
SEES = {
    "base": [],
    "tensor": ["base"],
    "ops": ["base", "tensor"],
    "autograd": CORE,
    "graph": CORE,
    "quantization": CORE,
    "weights": CORE + ["quantization"],
    "nn": ABOVE_OPS,
    "models": ABOVE_OPS + ["nn", "tokenizers", "hub"],
    "tokenizers": ["base"],
    "hub": ["base"],
    "processors": CORE,
    "streaming": ["base", "tokenizers"],
    "generation": MODELS + ["streaming"],
    "onnx": CORE + ["graph"],
    "train": MODELS,
    "distillation": TRAIN,
    "federated": TRAIN,
    "nas": TRAIN,
    "interpret": TRAIN,
    "pipelines": GENERATION + ["processors"],
    "capi": GENERATION + ["processors", "pipelines", "onnx", "train", "distillation", "federated", "nas", "interpret"],
    # Kernels implement the tables that the Context is made of; nobody includes them.
    "backends": CORE + ["autograd", "graph", "quantization"],
}
MACHINE_ROOMS = {"base", "backends", "hub", "weights"}
MAX_LINES = 600
MAX_MODEL_LINES = 350

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
MACHINE = re.compile(r"#\s*(?:if|ifdef|ifndef|elif)\b.*(__EMSCRIPTEN__|__wasm|__AVX|__SSE|__FMA__|__ARM|__aarch64__|__x86_64__|"
                     r"__i386__|_M_X64|_WIN32|__APPLE__|__linux__|__ANDROID__|__unix__)")
FORBIDDEN = re.compile(r"std::(?:cout|cerr|clog|printf|fprintf|puts)\b|(?<![\w:.>])(?:printf|fprintf|vprintf|vfprintf|puts|fputs|"
                       r"perror|abort|exit|_Exit|quick_exit|terminate|assert)\s*\(|std::(?:abort|exit|terminate|quick_exit)\b")

MODEL = re.compile(r"^Architecture \w+_architecture\(\) \{", re.MULTILINE)
MASKS = "masks are those of the attention op"
NOT_IN_MODELS = [
    (re.compile(r'#\s*include\s*"[^"]*ops/attention/'), "attention and rotations are those of nn"),
    (re.compile(r"\bAttentionAttrs\b|(?<![\w.>])(?:log_)?softmax\s*\(|[^_\w]rope\s*\("), "attention and rotations are those of nn"),
    (re.compile(r"\bKVCache\b|[.>]update\s*\("), "the cache is that of nn"),
    (re.compile(r"\binfinity\(\)|\blowest\(\)|\bINFINITY\b"), MASKS),
    (re.compile(r"\bis_block\b|\b(?:de)?quantize_\w+|class Quantized\w*"), "formats are a property of weights"),
]


def code_only(text):
    """The text with comments and the insides of literals blanked, line numbers kept."""
    pattern = re.compile(r'R"([^()\\ ]{0,16})\((?:.|\n)*?\)\1"|//[^\n]*|/\*(?:.|\n)*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'')
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def findings(path, text):
    parts = path.split("/")
    room = parts[1] if len(parts) > 2 else None  # None: the umbrella header in src itself
    if room is not None and room not in SEES:
        yield 1, f"the room src/{room} is not in docs/ARCHITECTURE.md and tools/check_layers.py"
        return
    lines = text.split("\n")
    if len(lines) > MAX_LINES + 1:
        yield len(lines), f"{len(lines) - 1} lines, at most {MAX_LINES} are allowed"
    code = code_only(text).split("\n")
    is_model = room == "models" and MODEL.search(text)
    if is_model and len(lines) > MAX_MODEL_LINES + 1:
        yield len(lines), f"{len(lines) - 1} lines, a model file has at most {MAX_MODEL_LINES}"
    for number, line in enumerate(lines, 1):
        include = INCLUDE.match(line)
        if include:
            target = os.path.normpath(os.path.join(os.path.dirname(path), include.group(1)))
            if not os.path.exists(target):
                yield number, f'"{include.group(1)}" is no file beside this one: includes of our files are relative'
            elif not target.startswith("src/"):
                yield number, f"{target} lies outside src"
            elif room is not None:
                seen = target.split("/")[1]
                if seen != room and seen not in SEES[room]:
                    yield number, f"{room} may not include {seen} ({target})"
        elif room is not None and room not in MACHINE_ROOMS and MACHINE.search(line):
            yield number, f"a condition on the machine in {room}"
        for pattern, reason in NOT_IN_MODELS if is_model else []:
            shown = line if "include" in line else code[number - 1]
            if pattern.search(shown):
                yield number, f"a model file has none of its own: {reason}"
        forbidden = FORBIDDEN.search(code[number - 1])
        if forbidden:
            yield number, f"the library may not print, abort or exit: {forbidden.group().strip()}"


def defined_names(text):
    """(line, qualified name) of the classes that a header defines in its namespace."""
    space = ""
    for number, line in enumerate(text.split("\n"), 1):
        if opened := re.match(r"namespace ([\w:]+) \{", line):
            space = opened.group(1)
        elif line.startswith("}  // namespace"):
            space = ""
        elif defined := re.match(r"(?:class|struct) (\w+)[^;]*\{", line):
            if "TRUSTFORMERS_ISA_NAMESPACE" not in space:  # one namespace for each machine
                yield number, f"{space}::{defined.group(1)}"


def main():
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "src"], check=True,
                             capture_output=True, text=True).stdout.split("\n")
    files = [path for path in listing if path.endswith((".h", ".cpp")) and os.path.exists(path)]
    bad = 0
    defined = {}  # two classes of one name would be one to the linker
    for path in files:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        found = list(findings(path, text))
        if path.endswith(".h"):
            for line, name in defined_names(text):
                first = defined.setdefault(name, path)
                if first != path:
                    found.append((line, f"{name} is already defined in {first}"))
        for line, message in found:
            print(f"{path}:{line}: {message}")
        bad += bool(found)
    print(f"{len(files) - bad} passed, {bad} failed, 0 skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.exit(main())
