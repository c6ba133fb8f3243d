"""Speed of our tokenizers beside the package `tokenizers`, on one thread, run about.

    python3 tools/bench_tokenize.py PROGRAM TOKENIZER_JSON… [--text FILE]

PROGRAM is build/release/bench/trustformers_bench_tokenize. Without --text the texts are the sources and documents of
this repository. Prints JSON: medians of CPU seconds, their ratio, and whether both gave as many tokens.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
RUNS = 5
DOCUMENT = 2000  # characters


def documents(text_file):
    root = Path(__file__).resolve().parent.parent
    files = [text_file] if text_file else sorted(p for e in ("*.md", "*.h", "*.cpp", "*.json") for p in root.glob("[dst]*/**/" + e))
    text = "\n".join(Path(file).read_text(encoding="utf-8", errors="replace") for file in files)[:4_000_000]
    return [text[i:i + DOCUMENT] for i in range(0, len(text), DOCUMENT)]


class Ours:
    def __init__(self, program, tokenizer, texts):
        self.process = subprocess.Popen([program, tokenizer, texts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, command, answers=1):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        lines = [self.process.stdout.readline().split() for _ in range(answers)]
        return [(float(seconds), int(tokens)) for seconds, tokens in lines]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def timed(call):
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def measure(program, file, texts, path):
    from tokenizers import Tokenizer
    peer = Tokenizer.from_file(file)
    peer.no_truncation()
    peer.no_padding()
    ours = Ours(program, file, path)
    own, other, own_open, other_open = [], [], [], []
    for _ in range(RUNS):
        own.append(ours.ask("encode")[0])
        other.append(timed(lambda: sum(len(peer.encode(text).ids) for text in texts)))
        own_open.append(ours.ask("open")[0][0])
        other_open.append(timed(lambda: Tokenizer.from_file(file))[0])
    hostile = [round(seconds, 3) for seconds, _ in ours.ask("hostile", 3)]
    ours.close()
    median = [statistics.median(seconds for seconds, _ in runs) for runs in (own, other)]
    return {"tokenizer": file, "megabytes": round(os.path.getsize(file) / 1e6, 1), "encode_seconds": round(median[0], 4),
            "peer_encode_seconds": round(median[1], 4), "times_as_fast": round(median[1] / median[0], 2),
            "same_number_of_tokens": own[0][1] == other[0][1], "open_seconds": round(statistics.median(own_open), 4),
            "peer_open_seconds": round(statistics.median(other_open), 4), "hostile_seconds_letter_marks_spaces": hostile}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench tokenize")
    parser.add_argument("program")
    parser.add_argument("tokenizers", nargs="+")
    parser.add_argument("--text")
    arguments = parser.parse_args()
    texts = documents(arguments.text)
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(texts, file, ensure_ascii=False)
        file.flush()
        print(json.dumps([measure(arguments.program, tokenizer, texts, file.name) for tokenizer in arguments.tokenizers], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
