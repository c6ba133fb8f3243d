"""Runs clang-tidy over the translation units of a build, in parallel within a time limit, and remembers clean ones. Prints
findings, then the counts of units.

Where the build compiles many files as one, so does clang-tidy, which takes a tenth of the time. A unit is skipped as known to be
clean when nothing of ours that it reads, nor .clang-tidy changed since. Units that the time limit leaves are reported as skipped.
"""
import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import time

TIDY = os.environ.get("CLANG_TIDY", "clang-tidy-19")


@functools.cache
def read(path):
    """The file's digest and the files that it includes by a path from itself or from src."""
    with open(path, "rb") as file:
        text = file.read()
    names = re.findall(rb'^\s*#\s*include\s*["<]([^">]+)[">]', text, re.MULTILINE)
    places = (os.path.relpath(os.path.join(folder, name.decode())) for name in names for folder in (os.path.dirname(path), "src"))
    return hashlib.sha256(text).hexdigest(), [place for place in places if os.path.isfile(place)]


def key_of(source):
    """A digest of all that a check of the source reads of ours."""
    reached, waiting = set(), [source, ".clang-tidy"]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += read(path)[1]
    return hashlib.sha256("".join(path + read(path)[0] for path in sorted(reached)).encode()).hexdigest()


def check(path, build):
    result = subprocess.run([TIDY, "--quiet", "-p", build, path], capture_output=True, text=True)
    return path, result.returncode, result.stdout, result.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="folder with compile_commands.json")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    top = os.getcwd() + os.sep
    with open(os.path.join(options.build, "compile_commands.json"), encoding="utf-8") as file:
        known = {os.path.relpath(entry["file"], top) for entry in json.load(file)}
    ours = tuple(folder + part for folder in ("", os.path.relpath(options.build) + os.sep) for part in ("src/", "apps/"))
    sources = sorted(path for path in known if path.startswith(ours) and os.path.exists(path))

    memory_path = os.path.join(options.build, "tidy-clean.json")
    clean = {}
    if os.path.exists(memory_path):
        with open(memory_path, encoding="utf-8") as file:
            clean = json.load(file)
    keys = {path: key_of(path) for path in sources}
    todo = [path for path in sources if clean.get(path) != keys[path]]
    # The largest first, so that no long file is left for the end.
    todo.sort(key=os.path.getsize, reverse=True)

    deadline = time.monotonic() + options.seconds
    failed, done = 0, 0
    shown = time.monotonic()
    pending = iter(todo)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = set()
        while True:
            while len(running) < options.jobs and time.monotonic() < deadline:
                path = next(pending, None)
                if path is None:
                    break
                running.add(pool.submit(check, path, options.build))
            if not running:
                break
            finished, running = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in finished:
                path, status, output, errors = future.result()
                done += 1
                if status == 0:
                    clean[path] = keys[path]
                else:
                    failed += 1
                    print(output.replace(top, "") or errors, flush=True)
            with open(memory_path + ".new", "w", encoding="utf-8") as file:
                json.dump({path: key for path, key in clean.items() if path in keys}, file)
            os.replace(memory_path + ".new", memory_path)
            if time.monotonic() - shown > 20:
                shown = time.monotonic()
                print(f"clang-tidy [{done}/{len(todo)}]", file=sys.stderr, flush=True)
    left = len(todo) - done
    print(f"{len(sources) - failed - left} passed, {failed} failed, {left} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
