verb_setup() {
  need "${packages_build[@]}" "${packages_test[@]}" "${packages_clang[@]}" "${packages_format[@]}" "${packages_tidy[@]}" \
    "${packages_python[@]}"
  say "everything is installed"
}
