verb_goldens() {
  [ $# -ge 1 ] || die "usage: ./dev goldens DIR… [--filter RE] [--json]"
  build release trustformers_goldens
  cd "$called_from"
  "$OLDPWD/build/release/tools/goldens/trustformers_goldens" "$@"
}
