"""Checks that the documentation says what the code says. Prints findings, then the counts of documents.

A C++ block in README.md or docs/*.md follows a line `<!-- from PATH -->` and must stand in that file word for word, so
that whatever is shown is compiled and tested. Links to files of this repository must lead somewhere.
"""
import glob
import os
import re
import sys

BLOCK = re.compile(r"(?:<!-- from (\S+) -->\n)?```cpp\n(.*?)\n```", re.DOTALL)
FENCE = re.compile(r"```.*?```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)[^)]*\)")


def findings(path, text):
    for source, code in BLOCK.findall(text):
        first = code.split("\n")[0]
        if not source:
            yield f'the block that begins with "{first}" names no source (<!-- from PATH -->)'
        elif not os.path.exists(source):
            yield f"{source} does not exist"
        else:
            with open(source, encoding="utf-8") as file:
                if code not in file.read():
                    yield f'the block that begins with "{first}" is not in {source}'
    for target in LINK.findall(FENCE.sub("", text)):
        if not os.path.exists(os.path.join(os.path.dirname(path), target)):
            yield f"the link to {target} leads nowhere"


def main():
    documents = sorted(glob.glob("*.md") + glob.glob("docs/*.md"))
    bad = 0
    for path in documents:
        with open(path, encoding="utf-8") as file:
            found = list(findings(path, file.read()))
        for message in found:
            print(f"{path}: {message}")
        bad += bool(found)
    print(f"{len(documents) - bad} passed, {bad} failed, 0 skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.exit(main())
