# Source checks. Each prints its findings and a line "N passed, N failed, N skipped" that counts files.

own_sources() { git ls-files --cached --others --exclude-standard -- '*.h' '*.cpp'; }

check_format() {
  need "${packages_format[@]}"
  local total bad
  total=$(own_sources | wc -l)
  bad=$(own_sources | xargs -r clang-format-19 --dry-run 2>&1 | grep -oE '^[^ :]+:[0-9]+' | sort -u -t: -k1,1 || true)
  [ -z "$bad" ] || printf '%s: not formatted (clang-format-19 -i)\n' $bad
  local failed
  failed=$(printf '%s' "$bad" | grep -c . || true)
  echo "$((total - failed)) passed, $failed failed, 0 skipped"
  [ "$failed" -eq 0 ]
}

check_layers() {
  need "${packages_python[@]}"
  python3 tools/check_layers.py
}

check_docs() {
  need "${packages_python[@]}"
  python3 tools/check_docs.py
}

# Every header that is installed compiles by itself.
check_headers() {
  need "${packages_build[@]}" "${packages_clang[@]}"
  local bad total
  total=$(own_headers | wc -l)
  bad=$(own_headers | xargs -P "$(jobs_count)" -I{} sh -c \
    'clang++-19 -std=c++20 -fsyntax-only -Wno-pragma-once-outside-header -x c++ "$1" || echo "$1: does not compile by itself" >&3' \
    - {} 3>&1 >/dev/null 2>&1 || true)
  [ -z "$bad" ] || printf '%s\n' "$bad"
  local failed
  failed=$(printf '%s' "$bad" | grep -c . || true)
  echo "$((total - failed)) passed, $failed failed, 0 skipped"
  [ "$failed" -eq 0 ]
}
own_headers() { git ls-files --cached --others --exclude-standard -- 'src/*.h' ':!src/backends'; }

# clang-tidy over all translation units of src and apps whose result is not known yet: one is checked again when something
# that it reads or .clang-tidy changed. LINT_SECONDS (default 1200) bounds the time; what is left then counts as skipped.
check_tidy() {
  need "${packages_build[@]}" "${packages_test[@]}" "${packages_clang[@]}" "${packages_tidy[@]}" "${packages_python[@]}"
  [ -e build/lint/build.ninja ] ||
    progress configure-lint cmake --preset debug -B build/lint -DCMAKE_UNITY_BUILD=ON -DCMAKE_C_COMPILER=clang-19 \
      -DCMAKE_CXX_COMPILER=clang++-19 -DTRUSTFORMERS_BUILD_TESTS=OFF -DTRUSTFORMERS_BUILD_EXAMPLES=OFF
  cmake build/lint >/dev/null  # so that new files are seen
  python3 tools/run_tidy.py --build build/lint --seconds "${LINT_SECONDS:-1200}" --jobs "$(jobs_count)"
}

verb_lint() {
  local status=0 needed=("${packages_python[@]}" "${packages_format[@]}")
  [ "${1:-}" = --fast ] || needed+=("${packages_build[@]}" "${packages_test[@]}" "${packages_clang[@]}" "${packages_tidy[@]}")
  need "${needed[@]}"
  say "layer rule"; check_layers || status=1
  say "documents"; check_docs || status=1
  say "clang-format"; check_format || status=1
  if [ "${1:-}" != --fast ]; then
    say "headers"; check_headers || status=1
    say "clang-tidy"; check_tidy || status=1
  fi
  return $status
}
