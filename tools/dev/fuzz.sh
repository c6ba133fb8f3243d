# libFuzzer targets: tests/fuzz/NAME_fuzz.cpp with seeds in tests/fuzz/corpus/NAME. Inputs found on the way are kept in
# build/fuzz/corpus/NAME, crashing ones in build/fuzz/crashes.

fuzz_names() { ls tests/fuzz | sed -n 's/_fuzz\.cpp$//p'; }

fuzz_build() {
  need "${packages_build[@]}" "${packages_test[@]}" "${packages_clang[@]}"
  build fuzz "$@"
}

# fuzz_run NAME SECONDS: prints a line "N passed, N failed, N skipped" for the one target.
fuzz_run() {
  local name=$1 seconds=$2 corpus=build/fuzz/corpus/$1 log=build/log/fuzz-$1.log
  mkdir -p "$corpus" build/fuzz/crashes build/log
  local folders=("$corpus")
  [ ! -d "tests/fuzz/corpus/$name" ] || folders+=("tests/fuzz/corpus/$name")
  # Bad bytes may cost neither memory nor time: a gigabyte or ten seconds for one input is a finding.
  if "build/fuzz/tests/fuzz/${name}_fuzz" -max_total_time="$seconds" -rss_limit_mb=1024 -malloc_limit_mb=512 -timeout=10 \
    -max_len=65536 -artifact_prefix="build/fuzz/crashes/$name-" "${folders[@]}" >"$log" 2>&1; then
    echo "$name: $(grep -aoE 'Done [0-9]+ runs' "$log" | tail -n 1) in $seconds s"
    echo "1 passed, 0 failed, 0 skipped"
  else
    grep -aE -A 25 'ERROR|runtime error' "$log" | head -n 60
    echo "$name: failed; the whole output is in $log, the input in build/fuzz/crashes"
    echo "$name: for line numbers: cmake build/fuzz -DCMAKE_CXX_FLAGS_DEBUG='-O1 -g1', and once more"
    echo "0 passed, 1 failed, 0 skipped"
    return 1
  fi
}

verb_fuzz() {
  local names
  names=$(fuzz_names)
  [ $# -ge 1 ] && [ $# -le 2 ] && grep -qx "$1" <<<"$names" ||
    die "usage: ./dev fuzz NAME [SECONDS]; names: $(echo $names)"
  fuzz_build "${1}_fuzz"
  fuzz_run "$1" "${2:-60}"
}
