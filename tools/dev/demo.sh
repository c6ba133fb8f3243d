# The main job: a chat with a real language model and sentence similarity with a real encoder, files as published.
. tools/dev/fetch-models.sh

verb_demo() {
  need "${packages_build[@]}" "${packages_test[@]}" "${packages_fetch[@]}"
  local program=build/release/apps/cli/trustformers chat embed
  build release trustformers_cli
  chat=$(fetch_models smollm2)
  embed=$(fetch_models minilm)
  local question=${1:-"What is the capital of France, and what is it famous for?"}
  say "SmolLM2-135M-Instruct (4-bit GGUF): $question"
  "$program" chat "$chat/model.gguf" --prompt "$question" --max-new-tokens 120 --stats
  say
  say "all-MiniLM-L6-v2: how alike six sentences are (cosine)"
  "$program" embed "$embed" --similarity "A cat sleeps on the sofa." "A kitten is napping on the couch." \
    "The stock market fell sharply today." "Share prices dropped at the exchange." "How do I bake bread at home?" \
    "What is a good recipe for a loaf?"
}
