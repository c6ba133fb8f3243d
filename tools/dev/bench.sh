# Speed as JSON on standard output: of the real models, at the given numbers of threads (1 and 2 when none is given), or
# of structured output (grammar).
. tools/dev/fetch-models.sh
. tools/dev/bench_web.sh

# Tokenizers beside the package of the same name: all that tools/fetch_tokenizers.py has fetched, or the given files.
bench_tokenize() {
  need "${packages_build[@]}" "${packages_test[@]}" "${packages_fetch[@]}"
  build release trustformers_bench_tokenize
  local venv=build/tokenizers-venv
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/python" -c 'import tokenizers' 2>/dev/null || "$venv/bin/pip" install --quiet tokenizers
  [ $# -gt 0 ] || set -- "${XDG_CACHE_HOME:-$HOME/.cache}"/trustformers/tokenizers/*.json
  "$venv/bin/python" tools/bench_tokenize.py build/release/bench/trustformers_bench_tokenize "$@"
}

verb_bench() {
  if [ "${1:-}" = web ]; then
    shift
    bench_web "$@"
    return
  fi
  if [ "${1:-}" = tokenize ]; then
    shift
    bench_tokenize "$@"
    return
  fi
  if [ "${1:-}" = grammar ]; then
    need "${packages_build[@]}" "${packages_test[@]}"
    build release trustformers_bench_grammar
    build/release/bench/trustformers_bench_grammar
    return
  fi
  need "${packages_build[@]}" "${packages_test[@]}" "${packages_fetch[@]}"
  local chat embed
  build release trustformers_bench_models
  chat=$(fetch_models smollm2)
  embed=$(fetch_models minilm)
  [ $# -gt 0 ] || set -- 1 2
  build/release/bench/trustformers_bench_models "$chat" "$embed" "$@"
}
