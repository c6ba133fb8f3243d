# Speed of the real models as JSON on standard output, at the given numbers of threads (1 and 2 when none is given).
. tools/dev/fetch-models.sh

verb_bench() {
  need "${packages_build[@]}" "${packages_test[@]}" "${packages_fetch[@]}"
  local chat embed
  build release trustformers_bench_models
  chat=$(fetch_models smollm2)
  embed=$(fetch_models minilm)
  [ $# -gt 0 ] || set -- 1 2
  build/release/bench/trustformers_bench_models "$chat" "$embed" "$@"
}
