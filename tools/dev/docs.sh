# Writes the documents that code decides. A unit test compares them.
verb_docs() {
  build release trustformers_goldens
  build/release/tools/goldens/trustformers_goldens --models-document tests/goldens >docs/models.md
}
