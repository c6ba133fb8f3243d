# All tests. A stage is a function whose output holds lines "N passed, N failed, N skipped"; they are summed. A stage
# that ends with an error without counting a failure counts as one failure.

passed=0 failed=0 skipped=0
ahead_pid= ahead_log=

stage() {
  local name=$1 log=build/log/stage-$1.log status start=$SECONDS p=0 f=0 s=0 a b c
  shift
  mkdir -p build/log
  say "== $name"
  ( set -e; "$@" ) 2>&1 </dev/null | tee "$log"
  status=${PIPESTATUS[0]}
  while read -r a b c; do
    p=$((p + a)) f=$((f + b)) s=$((s + c))
  done < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' "$log")
  if [ "$f" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((p + s)) -eq 0 ]; }; then f=1; fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  say "== $name: $p passed, $f failed, $s skipped in $((SECONDS - start)) s"
}

# Runs a doctest program and turns its summary into our line.
run_doctest() {
  local log=build/log/doctest-$$-$RANDOM.log status=0
  "$@" --no-intro=true --no-version=true >"$log" 2>&1 || status=$?
  grep -avE '^\[doctest\] (assertions|Status):?' "$log" | grep -av '^=*$' || true
  sed -nE 's/^\[doctest\] test cases: *[0-9]+ \| *([0-9]+) passed \| *([0-9]+) failed \| *([0-9]+) skipped.*/\1 passed, \2 failed, \3 skipped/p' "$log"
  rm -f "$log"
  return $status
}

# The C++ tests in two halves of about the same length side by side, each with a single thread where a test does not ask
# for two, because waiting threads take the cores of the other half. What one half leaves to the other, doctest calls
# skipped.
run_tests() {
  local -x TRUSTFORMERS_NUM_THREADS=1
  local status=0 log=build/log/halves-$$-$RANDOM.log half="ops:*,backends/*,tokenizers:*,base:*,autograd:*"
  {
    run_doctest "$1" --test-case="$half" &
    run_doctest "$1" --test-case-exclude="$half" || status=1
    wait $! || status=1
  } >"$log"
  grep -vE '^[0-9]+ passed,' "$log" || true
  awk '/^[0-9]+ passed,/ { passed += $1; failed += $3; skipped += $5; total = $1 + $3 + $5 }
    END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped - total }' "$log"
  rm -f "$log"
  return $status
}

stage_unit() {
  build release trustformers_tests trustformers_capi_tests
  local status=0
  run_tests build/release/tests/trustformers_tests || status=1
  build/release/tests/capi/trustformers_capi_tests tests/goldens || status=1
  if ctest --test-dir build/release -R capi_symbols --output-on-failure >build/log/capi_symbols.log 2>&1; then
    echo "1 passed, 0 failed, 0 skipped"
  else
    cat build/log/capi_symbols.log
    echo "0 passed, 1 failed, 0 skipped"
    status=1
  fi
  return $status
}

# Every golden case at hand: those of the repository, and the larger set where it lies beside the checkout. The real
# models belong to the larger set; without them their cases count as skipped.
stage_goldens() {
  local folders=(tests/goldens) status=0
  [ ! -d ../shared/goldens ] || folders+=(../shared/goldens)
  fetch_models smollm2 minilm || say "the real models could not be fetched"
  python3 tools/fetch_tokenizers.py "${folders[@]}" || say "not all published tokenizers could be fetched"
  build release trustformers_goldens
  build/release/tools/goldens/trustformers_goldens "${folders[@]}" >build/log/goldens.log 2>&1 || status=$?
  grep -avE '^(ok|skip) ' build/log/goldens.log | head -n 200
  return $status
}

# The programs of the README, and what loading costs. What needs real models counts as skipped when these cannot be
# fetched.
stage_examples() {
  local status=0 failed_count=0 passed_count=0 skipped_count=0 models
  build release
  models=$(fetch_models smollm2 minilm) || models=
  example() { # NAME EXPECTED…: passes when it succeeds and prints the expected text
    local output
    if output=$("build/release/examples/example_$1" 2>&1) && grep -qF "$2" <<<"$output"; then
      passed_count=$((passed_count + 1))
    else
      failed_count=$((failed_count + 1)) status=1
      printf '%s\n' "example_$1 failed:" "$output"
    fi
  }
  loading_memory() { # FILE: loading it and one token peak below 1.3 times its size and 100 MB
    local limit peak
    limit=$(($(stat -c %s "$1") * 13 / 10 + 100000000))
    peak=$(build/release/apps/cli/trustformers run "$1" --prompt Hello --max-new-tokens 1 --json |
      python3 -c 'import json, sys; print(json.load(sys.stdin)["peak_memory_bytes"])') || peak=$limit
    if [ "$peak" -lt "$limit" ]; then
      passed_count=$((passed_count + 1))
    else
      failed_count=$((failed_count + 1)) status=1
    fi
    echo "loading $(basename "$1") peaks at $((peak / 1000000)) MB, the limit is $((limit / 1000000)) MB"
  }
  example train_tiny_gpt "Never odd or even, said the palindrome to the mirror."
  if [ -n "$models" ]; then
    example chat Paris
    example batch Rome
    example structured '"capital":'
    example embed "cat and kitten"
    example pipelines "[0."
    loading_memory "${models%%$'\n'*}/model.gguf"
  else
    skipped_count=4
  fi
  echo "$passed_count passed, $failed_count failed, $skipped_count skipped"
  return $status
}

# The tests again, compiled by clang with AddressSanitizer and UndefinedBehaviorSanitizer. The build folder is that of the
# fuzz targets, so that the library is compiled with sanitizers only once.
sanitizers_build() {
  # shellcheck disable=SC2046
  fuzz_build trustformers_tests $(fuzz_names | sed 's/$/_fuzz/')
}

stage_sanitizers() {
  sanitizers_build
  # Freed memory is kept from use for a while, by default until it is 256 MB, which costs a page fault for most tensors.
  local -x ASAN_OPTIONS=quarantine_size_mb=16:${ASAN_OPTIONS-}
  run_tests build/fuzz/tests/trustformers_tests
}

# Two fuzz targets at a time: those of the files that most models consist of for FUZZ_SECONDS (default 60), the others for
# half of that, rounded up: to libFuzzer 0 means for ever.
stage_fuzz() {
  local seconds=${FUZZ_SECONDS:-60} files=(gguf json safetensors tokenizer)
  export -f fuzz_run
  {
    printf "%s $seconds\n" "${files[@]}"
    fuzz_names | grep -vxF "$(printf '%s\n' "${files[@]}")" | sed "s/$/ $(((seconds + 1) / 2))/"
  } | xargs -P 2 -L 1 bash -c 'fuzz_run "$1" "$2"' -
}

# What the compilers warned about while the stages above built; in a fresh clone that is everything.
stage_warnings() {
  local name status=0
  for name in release fuzz "${wasm_variants[@]/#/wasm-}"; do
    [ -e "build/log/build-$name.log" ] || continue
    if [ -s "build/log/warnings-$name" ]; then
      status=1
      sort -u "build/log/warnings-$name"
      echo "0 passed, 1 failed, 0 skipped"
    else
      echo "1 passed, 0 failed, 0 skipped"
    fi
  done
  return $status
}

# Root can install Emscripten, others need to have it.
js_possible() { [ "$(id -u)" = 0 ] || command -v emcc >/dev/null; }

# The package js/ in Node, in Chromium and behind bundlers, with a module that runs anywhere and those with threads.
stage_js() {
  if ! js_possible; then
    say "no Emscripten: run ./dev js as root once, or put emcc on the PATH"
    echo "0 passed, 0 failed, 1 skipped"
    return 0
  fi
  fetch_models smollm2 minilm || say "the real models could not be fetched"
  verb_js
}

# The library installed as a static and as a shared one, each used by a stranger's project. Both are made of the same
# objects, so that a compiler cache compiles them once.
stage_install() {
  build release
  local status=0
  tests/install/run.sh build/release static || status=1
  [ -e build/shared/build.ninja ] ||
    progress configure-shared cmake --preset release -B build/shared -DBUILD_SHARED_LIBS=ON -DTRUSTFORMERS_BUILD_TESTS=OFF \
      -DTRUSTFORMERS_BUILD_APPS=OFF -DTRUSTFORMERS_BUILD_EXAMPLES=OFF -DTRUSTFORMERS_BUILD_BENCH=OFF
  progress build-shared ninja -C build/shared -j "$(jobs_count)"
  tests/install/run.sh build/shared shared || status=1
  return $status
}

# ahead COMMAND…: begins what a later stage needs with what the stages before it leave of the cores. That stage runs the
# command again, finds it done, or says what failed.
ahead() {
  mkdir -p build/log
  set -m  # a process group of its own, which ends with this script
  "$@" >"build/log/ahead-$1.log" 2>&1 </dev/null &
  ahead_pid=$! ahead_log=build/log/ahead-$1.log
  set +m
  trap 'kill -- -$ahead_pid 2>/dev/null' EXIT
}

# Waits for what was begun, with its progress on the standard error output.
finish_ahead() {
  [ "$ahead_pid" ] || return 0
  tail -n 1 -f --pid="$ahead_pid" "$ahead_log" >&2
  wait "$ahead_pid"
}

ahead_js() {
  js_prepare && wasm_configure "${wasm_variants[@]}" && renice -n 19 -p "$BASHPID" && js_modules "${wasm_variants[@]}"
}

ahead_sanitizers() {
  renice -n 19 -p "$BASHPID"
  sanitizers_build
}

verb_test() {
  local fast=
  [ "${1:-}" != --fast ] || fast=1
  if [ "$fast" ]; then
    need "${packages_build[@]}" "${packages_test[@]}" "${packages_format[@]}" "${packages_python[@]}"
  else
    need "${packages_build[@]}" "${packages_test[@]}" "${packages_clang[@]}" "${packages_format[@]}" "${packages_fetch[@]}"
  fi
  set +e +o pipefail
  rm -f build/log/warnings-*
  if [ -z "$fast" ] && js_possible; then ahead ahead_js; fi
  stage layers check_layers
  stage documents check_docs
  stage format check_format
  stage unit stage_unit
  if [ -z "$fast" ]; then
    stage goldens stage_goldens
    stage examples stage_examples
    stage install stage_install
    finish_ahead
    ahead ahead_sanitizers
    stage js stage_js
    finish_ahead
    stage sanitizers stage_sanitizers
    stage fuzz stage_fuzz
    stage warnings stage_warnings
  fi
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
}
. tools/dev/lint.sh
. tools/dev/fuzz.sh
. tools/dev/fetch-models.sh
. tools/dev/js.sh
