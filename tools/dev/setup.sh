verb_setup() {
  need "${packages_all[@]}"
  say "everything is installed"
}
