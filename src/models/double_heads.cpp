#include "double_heads.h"

#include "../ops/loss/loss.h"
#include "../ops/shape/shape_ops.h"

namespace trustformers {
namespace {

struct SummaryConfig {
  std::string summary_type = "cls_index", summary_activation = "linear";
  bool summary_use_proj = true, summary_proj_to_labels = true;

  void fields(auto& v) {
    v("summary_type", summary_type);
    v("summary_activation", summary_activation);
    v("summary_use_proj", summary_use_proj);
    v("summary_proj_to_labels", summary_proj_to_labels);
  }
};

class DoubleHeadsModel final : public Model {
 public:
  DoubleHeadsModel(CommonConfig common, const Json& json, std::string_view where, const Scope& root,
                   std::string_view body_name, const MakeBody& make_body)
      : body_(make_body(root / body_name)) {
    common_ = std::move(common);
    common_.num_labels = 1;
    common_.learned_positions = body_->learned_positions();
    common_.mixes_lengths = body_->mixes_lengths();
    const auto c = read_config<SummaryConfig>(json, where);
    check(c.summary_type == "cls_index" && c.summary_use_proj && c.summary_proj_to_labels, ErrorCode::unsupported,
          "[config] ", where, ": two heads need \"summary_type\" \"cls_index\" with \"summary_use_proj\" and ",
          "\"summary_proj_to_labels\"");
    activation_ = ActivationFunction::parse(c.summary_activation, "summary_activation");
    const Embedding& table = body_->input_embeddings();
    lm_head_ = common_.tie_word_embeddings ? Linear::tied(root, table.weight(), table.name())
                                           : Linear(root / "lm_head", common_.hidden_size, common_.vocab_size, false);
    choice_head_ = Linear(root / "multiple_choice_head" / "summary", common_.hidden_size, 1);
  }

  ModelOutput forward(const ModelInputs& given) const override {
    const Tensor& tokens = given.inputs_embeds.defined() ? given.inputs_embeds : given.input_ids;
    Shape lead = tokens.shape();  // [B, C, L]
    if (given.inputs_embeds.defined()) lead.pop_back();
    const std::int64_t length = lead.back();

    ModelInputs in = given;
    for (Tensor* t : {&in.input_ids, &in.attention_mask, &in.token_type_ids, &in.position_ids})
      if (t->defined()) *t = reshape(*t, {-1, t->shape().back()});
    if (in.inputs_embeds.defined()) in.inputs_embeds = reshape(in.inputs_embeds, {-1, length, common_.hidden_size});

    ModelOutput out = body_->forward(in);
    const Tensor hidden = std::exchange(out.last_hidden_state, Tensor());  // [B·C, L, D]
    out.logits = with_last(lead, lm_head_(hidden));
    if (!out.hidden_states.empty()) out.hidden_states.back() = with_last(lead, out.hidden_states.back());

    Shape choices = lead;
    choices.pop_back();
    out.mc_logits = reshape(activation_(choice_head_(summary(hidden, given.mc_token_ids))), choices);
    if (given.mc_labels.defined())
      out.mc_loss = cross_entropy(reshape(out.mc_logits, {-1, choices.back()}), reshape(given.mc_labels, {-1}));
    if (given.labels.defined())
      out.loss = causal_lm_loss(reshape(out.logits, {-1, length, common_.vocab_size}),
                                reshape(given.labels, {-1, length}), given.label_smoothing);
    return out;
  }

 private:
  /// x [N, L, F] as [B, C, L, F]
  static Tensor with_last(Shape lead, const Tensor& x) {
    lead.push_back(x.size(-1));
    return reshape(x, lead);
  }
  /// The state at `at` (one index a text), or the last: [N, D].
  static Tensor summary(const Tensor& hidden, const Tensor& at) {
    if (!at.defined()) return contiguous(select(hidden, 1, hidden.size(1) - 1));
    check(at.numel() == hidden.size(0), ErrorCode::shape_mismatch, "[double_heads] mc_token_ids must have ",
          hidden.size(0), " elements, got ", describe(at));
    return squeeze(gather(hidden, 1, expand(reshape(at, {-1, 1, 1}), {hidden.size(0), 1, hidden.size(2)})), 1);
  }

  std::unique_ptr<Body> body_;
  Linear lm_head_, choice_head_;
  ActivationFunction activation_;
};

}  // namespace

std::unique_ptr<Model> make_double_heads(const DecoderConfig& config, const Json& json, std::string_view where,
                                         const Scope& root, std::string_view body_name, const MakeBody& make_body) {
  CommonConfig common = CommonConfig::parse(json, where, true);
  common.max_position_embeddings = config.max_position_embeddings;
  return std::make_unique<DoubleHeadsModel>(std::move(common), json, where, root, body_name, make_body);
}

}  // namespace trustformers
