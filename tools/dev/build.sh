verb_build() {
  local preset=${1:-release}
  [ $# -eq 0 ] || shift
  build "$preset" "$@"
}
