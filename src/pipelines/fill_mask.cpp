// fill-mask: the tokens that a masked language model expects in place of [MASK].
#include <algorithm>
#include <set>

#include "../ops/shape/shape_ops.h"
#include "text_batches.h"

namespace trustformers {
namespace {

class FillMask final : public PipelineTask {
 public:
  explicit FillMask(PipelineParts parts) : PipelineTask(std::move(parts)) {
    check(tokenizer().special_tokens().mask.has_value(), ErrorCode::unsupported,
          "[fill-mask] the tokenizer names no mask token");
  }

  Json run(const PipelineCall& call) const override {
    CallOptions v(call.options, parts_.task);
    std::int64_t top_k = 5;
    v.at_least(1, "top_k", top_k);
    std::vector<std::string> targets;
    v("targets", targets);
    const bool targeted = v.given("targets");
    const EncodeOptions encode = read_encode_options(v, tokenizer(), "tokenizer_kwargs");
    const std::int64_t batch_size = read_batch_size(v);
    v.finish();
    const std::vector<TokenId> wanted = target_ids(targets);
    check(!targeted || !wanted.empty(), ErrorCode::invalid_argument, "[fill-mask] targets are empty");

    const TextInputs inputs = text_inputs(call.inputs, parts_.task);
    const TokenId mask = *tokenizer().special_tokens().mask;
    std::vector<Encoding> encodings;
    for (const std::string& text : inputs.texts) {
      encodings.push_back(tokenizer().encode(text, encode));
      const auto& ids = encodings.back().ids;
      check(std::find(ids.begin(), ids.end(), mask) != ids.end(), ErrorCode::invalid_argument,
            "[fill-mask] there is no ", tokenizer().id_to_token(mask).value_or("mask"), " in \"", text, '"');
    }
    std::vector<Json> results(encodings.size());
    run_batches(parts_, encodings, batch_size, call.cancel,
                [&](const ModelOutput& output, const Tensor&, std::span<const BatchRow> rows) {
                  for (const BatchRow& row : rows)
                    results[row.index] = fill(encodings[row.index], row.of(output.logits), wanted, top_k);
                });
    if (inputs.texts.size() == 1) return std::move(results[0]);  // also of a list of one, as transformers
    return Json(Json::Array(results.begin(), results.end()));
  }

 private:
  /// Targets by their token, else by the first token that they are cut into.
  std::vector<TokenId> target_ids(const std::vector<std::string>& targets) const {
    std::set<TokenId> ids;
    for (const std::string& target : targets) {
      if (const auto id = tokenizer().token_to_id(target)) {
        ids.insert(*id);
        continue;
      }
      const Encoding encoding = tokenizer().encode(target, {.add_special_tokens = false});
      if (!encoding.ids.empty()) ids.insert(encoding.ids[0]);
    }
    return {ids.begin(), ids.end()};
  }

  /// One list of proposals, or one for each mask when there are several. logits [L, V].
  Json fill(const Encoding& encoding, const Tensor& logits, const std::vector<TokenId>& wanted,
            std::int64_t top_k) const {
    std::vector<std::size_t> masks;
    for (std::size_t i = 0; i < encoding.size(); ++i)
      if (encoding.ids[i] == *tokenizer().special_tokens().mask) masks.push_back(i);
    Json::Array out;
    for (const std::size_t at : masks)
      out.push_back(proposals(encoding, at, masks.size() == 1,
                              softmax_of(select(logits, 0, static_cast<std::int64_t>(at)).to_vector<float>()), wanted,
                              top_k));
    return out.size() == 1 ? std::move(out[0]) : Json(std::move(out));
  }

  Json proposals(const Encoding& encoding, std::size_t at, bool single, const std::vector<float>& probabilities,
                 std::vector<TokenId> ids, std::int64_t top_k) const {
    if (ids.empty())
      for (std::size_t i = 0; i < probabilities.size(); ++i) ids.push_back(static_cast<TokenId>(i));
    for (const TokenId id : ids)
      check(static_cast<std::size_t>(id) < probabilities.size(), ErrorCode::out_of_range, "[fill-mask] the target ", id,
            " is beyond the model's ", probabilities.size(), " tokens");
    const std::size_t count = std::min(ids.size(), static_cast<std::size_t>(top_k));
    std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count), ids.end(),
                      [&](TokenId a, TokenId b) {
                        const float left = probabilities[static_cast<std::size_t>(a)],
                                    right = probabilities[static_cast<std::size_t>(b)];
                        return left > right || (left == right && a < b);
                      });
    ids.resize(count);
    Json::Array out;
    for (const TokenId id : ids) {
      std::vector<TokenId> filled = encoding.ids;
      filled[at] = id;
      if (const auto pad = tokenizer().special_tokens().pad) std::erase(filled, *pad);
      Json record = Json::object();
      record.set("score", static_cast<double>(probabilities[static_cast<std::size_t>(id)]));
      record.set("token", id);
      record.set("token_str", tokenizer().decode(std::span(&id, 1)));
      record.set("sequence", tokenizer().decode(filled, single));
      out.push_back(std::move(record));
    }
    return Json(std::move(out));
  }
};

}  // namespace

PipelineTaskPtr make_fill_mask(PipelineParts parts) { return std::make_shared<const FillMask>(std::move(parts)); }

}  // namespace trustformers
