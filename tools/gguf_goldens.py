#!/usr/bin/env python3
"""Rewrites golden cases of transformers as llama.cpp's converter would write their models: one GGUF file a case.

    tools/gguf_goldens.py GOLDENS OUT [FILTER] [--llamacpp]

GOLDENS may be several folders with ":" between them; rows whose source none of them has are left out. The sources
`*.gguf.*` are tiny models with what llama.cpp takes for granted (Llama 4's chunks and temperatures, no dense layers in
Qwen3-MoE, T5's distances up to 128).

Names of tensors and of metadata come from the package `gguf`, what is done to the weights is written down below: the
library's own tables have no part in it. Every matrix stays f32 unless a row says otherwise, so the case's expected
logits hold. --llamacpp also runs each file with llama.cpp (package xllamacpp) and prints how far its log-probabilities
are from the expected ones.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Q
from gguf import quants
from safetensors.numpy import load_file, save_file


# ---- what is done to weights: (name, array, config) -> [(name, array)] -------------------------------------------------
def pairs(w, heads):
    """Rows [heads, 2, D/2] as [heads, D/2, 2]: rotary features that turn together become neighbours."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def paired_heads(name, w, c):
    if ".q_proj." in name:
        w = pairs(w, c["num_attention_heads"])
    if ".k_proj." in name:
        w = pairs(w, c["num_key_value_heads"])
    return [(name, w)]


def shifted_norms(name, w, c):
    return [(name, w + 1 if name.endswith("norm.weight") else w)]


def granite_experts(name, w, c):
    if name.endswith("input_linear.weight"):
        base = name.removesuffix("input_linear.weight")
        half = w.shape[1] // 2
        return [(base + "experts.w1.weight", w[:, :half]), (base + "experts.w3.weight", w[:, half:])]
    if name.endswith("output_linear.weight"):
        return [(name.replace("output_linear", "experts.w2"), w)]
    return paired_heads(name, w, c)


def gpt_oss_experts(name, w, c):
    if ".gate_up_proj" in name:
        base = name.split(".gate_up_proj")[0]
        if name.endswith("_bias"):
            return [(base + ".gate_proj.bias", w[:, ::2]), (base + ".up_proj.bias", w[:, 1::2])]
        w = w.swapaxes(1, 2)
        return [(base + ".gate_proj.weight", w[:, ::2]), (base + ".up_proj.weight", w[:, 1::2])]
    if name.endswith(".down_proj_bias"):
        return [(name.replace("_bias", ".bias"), w)]
    if name.endswith(".experts.down_proj"):
        return [(name + ".weight", w.swapaxes(1, 2))]
    if name.endswith(".sinks"):
        return [(name + ".weight", w)]
    return [(name, w)]


def llama4_experts(name, w, c):
    if name.endswith(".gate_up_proj"):
        base, w = name.removesuffix(".gate_up_proj"), w.swapaxes(1, 2)
        half = w.shape[1] // 2
        return [(base + ".gate_proj.weight", w[:, :half]), (base + ".up_proj.weight", w[:, half:])]
    if name.endswith(".experts.down_proj"):
        return [(name + ".weight", w.swapaxes(1, 2))]
    return [(name, w)]


def latent_heads(name, w, c):
    if name.endswith(".kv_b_proj.weight"):
        heads, keys = c["num_attention_heads"], c["qk_nope_head_dim"]
        w = w.reshape(heads, keys + c["v_head_dim"], -1)
        return [(name.replace("kv_b_proj", "k_b_proj"), w[:, :keys].swapaxes(1, 2)), (name.replace("kv_b_proj", "v_b_proj"), w[:, keys:])]
    return [(name.replace("e_score_correction_bias", "e_score_correction.bias"), w)]


def roberta_positions(name, w, c):
    return [(name, w[c["pad_token_id"] + 1:] if "position_embeddings" in name else w)]


# ---- metadata ----------------------------------------------------------------------------------------------------------
def first(c, *keys, default=None):
    return next((c[k] for k in keys if c.get(k) is not None), default)


def sizes(w, c):
    hidden, heads = first(c, "hidden_size", "n_embd", "d_model", "dim"), first(c, "num_attention_heads", "n_head", "n_heads")
    w.add_block_count(first(c, "num_hidden_layers", "n_layer", "n_layers"))
    w.add_context_length(first(c, "max_position_embeddings", "n_positions", "max_seq_len"))
    w.add_embedding_length(hidden)
    w.add_feed_forward_length(first(c, "intermediate_size", "n_inner", "hidden_dim", default=4 * hidden))
    w.add_head_count(heads)
    w.add_head_count_kv(first(c, "num_key_value_heads", default=heads))
    w.add_vocab_size(c["vocab_size"])
    if c.get("head_dim"):
        w.add_key_length(c["head_dim"])
        w.add_value_length(c["head_dim"])
    if c.get("rms_norm_eps"):
        w.add_layer_norm_rms_eps(c["rms_norm_eps"])
    eps = first(c, "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps")
    if eps:
        w.add_layer_norm_eps(eps)
    elif c["model_type"] == "distilbert":
        w.add_layer_norm_eps(1e-12)
    experts = first(c, "num_local_experts", "num_experts", "n_routed_experts")
    if experts:
        w.add_expert_count(experts)
        w.add_expert_used_count(c["num_experts_per_tok"])
    rope = c.get("rope_parameters") or {}
    rope = rope.get("full_attention", rope)
    if "rope_theta" in rope:
        w.add_rope_freq_base(rope["rope_theta"])
    if rope.get("rope_type") in ("linear", "yarn"):
        w.add_rope_scaling_type(gguf.RopeScalingType(rope["rope_type"]))
        w.add_rope_scaling_factor(rope["factor"])
        if rope["rope_type"] == "yarn":
            w.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])


def head_width(c):
    return c.get("head_dim") or first(c, "hidden_size", "n_embd") // first(c, "num_attention_heads", "n_head")


def turned(w, c):
    w.add_rope_dimension_count(int(head_width(c) * c["rope_parameters"].get("partial_rotary_factor", 1)))


def windows(w, c):
    w.add_sliding_window(c["sliding_window"])
    w.add_sliding_window_pattern([t == "sliding_attention" for t in c["layer_types"]])


def scales(w, c):
    w.add_attention_scale(c["attention_multiplier"])
    w.add_embedding_scale(c["embedding_multiplier"])
    w.add_residual_scale(c["residual_multiplier"])
    w.add_logit_scale(c["logits_scaling"])


def logit_scale(w, c):
    w.add_logit_scale(c["logit_scale"])


def cohere2_meta(w, c):
    logit_scale(w, c)
    turned(w, c)
    w.add_sliding_window(c["sliding_window"])


def clip(w, c):
    if c.get("clip_qkv"):
        w.add_clamp_kqv(c["clip_qkv"])
    w.add_layer_norm_eps(1e-5)


def mpt_meta(w, c):
    w.add_max_alibi_bias(8.0)
    clip(w, c)


def expert_widths(w, c):
    w.add_expert_feed_forward_length(first(c, "moe_intermediate_size", "intermediate_size"))
    if c.get("shared_expert_intermediate_size"):
        w.add_expert_shared_feed_forward_length(c["shared_expert_intermediate_size"])


def gpt_oss_meta(w, c):
    expert_widths(w, c)
    w.add_sliding_window(c["sliding_window"])


def llama4_meta(w, c):
    turned(w, c)
    w.add_expert_feed_forward_length(c["intermediate_size"])
    w.add_feed_forward_length(c["intermediate_size_mlp"])
    w.add_interleave_moe_layer_step(c["interleave_moe_layer_step"])


def latent(w, c):
    w.add_head_count_kv(1)
    w.add_leading_dense_block_count(c["first_k_dense_replace"])
    if c.get("q_lora_rank"):
        w.add_q_lora_rank(c["q_lora_rank"])
    w.add_kv_lora_rank(c["kv_lora_rank"])
    w.add_key_length(c["kv_lora_rank"] + c["qk_rope_head_dim"])
    w.add_value_length(c["kv_lora_rank"])
    w.add_key_length_mla(c["qk_nope_head_dim"] + c["qk_rope_head_dim"])
    w.add_value_length_mla(c["v_head_dim"])
    w.add_expert_feed_forward_length(c["moe_intermediate_size"])
    w.add_expert_shared_count(c["n_shared_experts"])
    w.add_expert_weights_scale(c["routed_scaling_factor"])
    w.add_expert_weights_norm(c["norm_topk_prob"])
    if c.get("n_group"):
        w.add_expert_group_count(c["n_group"])
        w.add_expert_group_used_count(c["topk_group"])
    sigmoid = c["model_type"] == "deepseek_v3"
    w.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID if sigmoid else gguf.ExpertGatingFuncType.SOFTMAX)
    w.add_rope_dimension_count(c["qk_rope_head_dim"])
    if c["rope_parameters"].get("mscale_all_dim"):
        w.add_rope_scaling_yarn_log_mul(0.1 * c["rope_parameters"]["mscale_all_dim"])


def qwen_meta(w, c):
    w.add_rope_freq_base(first(c, "rotary_emb_base", default=10000.0))
    w.add_rope_dimension_count(c["hidden_size"] // c["num_attention_heads"])
    w.add_layer_norm_rms_eps(c["layer_norm_epsilon"])


def t5_meta(w, c):
    w.add_context_length(512)
    w.add_embedding_length(c["d_model"])
    w.add_feed_forward_length(c["d_ff"])
    w.add_block_count(c["num_layers"])
    w.add_decoder_block_count(first(c, "num_decoder_layers", default=c["num_layers"]))
    w.add_head_count(c["num_heads"])
    w.add_key_length(c["d_kv"])
    w.add_value_length(c["d_kv"])
    w.add_layer_norm_eps(c["layer_norm_epsilon"])
    w.add_layer_norm_rms_eps(c["layer_norm_epsilon"])
    w.add_relative_attn_buckets_count(c["relative_attention_num_buckets"])
    w.add_decoder_start_token_id(c["decoder_start_token_id"])


def t5_encoder_meta(w, c):
    t5_meta(w, dict(c, decoder_start_token_id=0))


def phimoe_meta(w, c):
    turned(w, c)
    rope = c["rope_parameters"]
    if "long_factor" in rope:
        original = rope["original_max_position_embeddings"]
        w.add_rope_scaling_orig_ctx_len(original)
        w.add_rope_scaling_attn_factors(float(np.sqrt(1 + np.log(c["max_position_embeddings"] / original) / np.log(original))))
        for kind in ("long", "short"):
            w.add_tensor(f"rope_factors_{kind}.weight", np.array(rope[f"{kind}_factor"], dtype=np.float32))


def encoder_meta(w, c):
    w.add_causal_attention(False)
    w.add_pooling_type(gguf.PoolingType.CLS)


def modernbert_meta(w, c):
    encoder_meta(w, c)
    w.add_sliding_window(c["local_attention"])
    w.add_sliding_window_pattern([t == "sliding_attention" for t in c["layer_types"]])
    w.add_rope_freq_base(c["rope_parameters"]["full_attention"]["rope_theta"])
    w.add_rope_freq_base_swa(c["rope_parameters"]["sliding_attention"]["rope_theta"])


def llama3_factors(c):
    """What Llama 3's scaling divides each frequency by."""
    rope, width = c["rope_parameters"], head_width(c)
    length = 2 * np.pi * rope["rope_theta"] ** (np.arange(0, width, 2) / width)
    low, high = (rope["original_max_position_embeddings"] / rope[k] for k in ("low_freq_factor", "high_freq_factor"))
    blend = (rope["original_max_position_embeddings"] / length - rope["low_freq_factor"]) / (rope["high_freq_factor"] - rope["low_freq_factor"])
    between = 1 / ((1 - blend) / rope["factor"] + blend)
    return np.where(length < high, 1.0, np.where(length > low, rope["factor"], between)).astype(np.float32)


def plus(*parts):
    return lambda w, c: [part(w, c) for part in parts]


PLAIN = lambda name, w, c: [(name, w)]
# name of the new case: (case it is made from, architecture, weights, metadata beside `sizes`, type of matrices, or types
# by parts of their names)
ROWS = {
    "apertus-f32": ("apertus.causal_lm", "apertus", PLAIN, turned, Q.F32),
    "arcee-f32": ("arcee.causal_lm", "arcee", paired_heads, turned, Q.F32),
    "chatglm-f32": ("glm.causal_lm", "chatglm", PLAIN, turned, Q.F32),
    "cohere2-f32": ("cohere2.causal_lm", "cohere2", PLAIN, cohere2_meta, Q.F32),
    "command-r-f32": ("cohere.causal_lm", "command-r", PLAIN, logit_scale, Q.F32),
    "command-r-qk-norm": ("cohere.qk_norm.causal_lm", "command-r", PLAIN, logit_scale, Q.F32),
    "deepseek2-lite": ("deepseek_v2.lite.causal_lm", "deepseek2", latent_heads, latent, Q.F32),
    "deepseek2-v2": ("deepseek_v2.causal_lm", "deepseek2", latent_heads, latent, Q.F32),
    "deepseek2-v2-old": ("deepseek_v2.lite.causal_lm", "deepseek2", PLAIN, latent, Q.F32),
    "deepseek2-v3": ("deepseek_v3.causal_lm", "deepseek2", latent_heads, latent, Q.F32),
    "distilbert-f32": ("distilbert.base", "bert", PLAIN, encoder_meta, Q.F32),
    "ernie4_5-f32": ("ernie4_5.causal_lm", "ernie4_5", PLAIN, turned, Q.F32),
    "exaone4-f32": ("exaone4.causal_lm", "exaone4", PLAIN, windows, Q.F32),
    "gemma-f32": ("gemma.causal_lm", "gemma", shifted_norms, turned, Q.F32),
    "glm4-f32": ("glm4.causal_lm", "glm4", PLAIN, turned, Q.F32),
    "gpt-oss-f32": ("gpt_oss.causal_lm", "gpt-oss", gpt_oss_experts, gpt_oss_meta, Q.F32),
    "gpt-oss-mxfp4": ("gpt_oss.gguf.causal_lm", "gpt-oss", gpt_oss_experts, gpt_oss_meta, dict(exps=Q.MXFP4, attn=Q.Q8_0)),
    "granite-f32": ("granite.causal_lm", "granite", paired_heads, plus(turned, scales), Q.F32),
    "granitemoe-f32": ("granitemoe.causal_lm", "granitemoe", granite_experts, plus(turned, scales), Q.F32),
    "llama4-f32": ("llama4_text.gguf.causal_lm", "llama4", llama4_experts, llama4_meta, Q.F32),
    "mistral-f32": ("mistral.full.causal_lm", "llama", paired_heads, turned, Q.F32),
    "mixtral-f32": ("mixtral.causal_lm", "llama", paired_heads, turned, Q.F32),
    "mixtral-q4_0": ("mixtral.gguf.causal_lm", "llama", paired_heads, turned, dict(exps=Q.Q4_0, attn=Q.Q8_0)),
    "modern-bert-f32": ("modernbert.base", "modern-bert", PLAIN, modernbert_meta, Q.F32),
    "mpt-f32": ("mpt.causal_lm", "mpt", PLAIN, mpt_meta, Q.F32),
    "nemotron-f32": ("nemotron.causal_lm", "nemotron", shifted_norms, turned, Q.F32),
    "nomic-bert-f32": ("nomic_bert.base", "nomic-bert", PLAIN, encoder_meta, Q.F32),
    "olmo-f32": ("olmo.causal_lm", "olmo", paired_heads, clip, Q.F32),
    "olmo2-f32": ("olmo2.causal_lm", "olmo2", PLAIN, turned, Q.F32),
    "olmo3-f32": ("olmo3.causal_lm", "olmo2", PLAIN, windows, Q.F32),
    "olmoe-f32": ("olmoe.causal_lm", "olmoe", PLAIN, lambda w, c: None, Q.F32),
    "phi2-f32": ("phi.causal_lm", "phi2", PLAIN, turned, Q.F32),
    "phimoe-f32": ("phimoe.causal_lm", "phimoe", PLAIN, phimoe_meta, Q.F32),
    "phimoe-longrope": ("phimoe.gguf.causal_lm", "phimoe", PLAIN, phimoe_meta, Q.F32),
    "qwen-f32": ("qwen.tiny", "qwen", PLAIN, qwen_meta, Q.F32),
    "qwen2moe-f32": ("qwen2_moe.causal_lm", "qwen2moe", PLAIN, expert_widths, Q.F32),
    "qwen2moe-q8_0": ("qwen2_moe.gguf.causal_lm", "qwen2moe", PLAIN, expert_widths, dict(exps=Q.Q8_0, shexp=Q.Q5_0)),
    "qwen3moe-f32": ("qwen3_moe.gguf.causal_lm", "qwen3moe", PLAIN, expert_widths, Q.F32),
    "roberta-f32": ("roberta.base", "bert", roberta_positions, encoder_meta, Q.F32),
    "seed_oss-f32": ("seed_oss.causal_lm", "seed_oss", PLAIN, turned, Q.F32),
    "smollm3-f32": ("smollm3.causal_lm", "smollm3", paired_heads, turned, Q.F32),
    "starcoder-f32": ("gpt_bigcode.causal_lm", "starcoder", PLAIN, lambda w, c: w.add_head_count_kv(1), Q.F32),
    "t5-f32": ("t5.hub.conditional_generation", "t5", PLAIN, t5_meta, Q.F32),
    "t5-mt5": ("mt5.gguf.conditional_generation", "t5", PLAIN, t5_meta, Q.F32),
    "t5-umt5": ("umt5.gguf.conditional_generation", "t5", PLAIN, t5_meta, Q.F32),
    "t5-v1_1": ("t5.gguf.conditional_generation", "t5", PLAIN, t5_meta, Q.F32),
    "t5encoder-f32": ("t5.gguf.encoder", "t5encoder", PLAIN, t5_encoder_meta, Q.F32),
}


# ---- one case ----------------------------------------------------------------------------------------------------------
def stacked(tensors):
    """Experts that lie one by one become one tensor [E, ...] each, under the name without the number."""
    out, experts = {}, {}
    for name, w in tensors.items():
        head, found, tail = name.partition(".experts.")
        number, _, leaf = tail.partition(".")
        if found and number.isdigit():
            experts.setdefault(f"{head}.experts.{leaf}", {})[int(number)] = w
        else:
            out[name] = w
    return out | {name: np.stack([parts[i] for i in range(len(parts))]) for name, parts in experts.items()}


def type_of(name, w, kind):
    if isinstance(kind, dict):
        kind = next((k for part, k in kind.items() if part in name), Q.F32)
    block = gguf.GGML_QUANT_SIZES[kind][0]
    return kind if w.ndim > 1 and w.shape[-1] % block == 0 else Q.F32


def rounded(name, value, weights, config, names, kind):
    """The source tensor as the file's blocks have it: positions are followed through the transform."""
    flat = np.array(value, dtype=np.float32).ravel()
    index = np.arange(flat.size, dtype=np.float64).reshape(value.shape)
    for (ours, w), (_, at) in zip(weights(name, value, config), weights(name, index, config)):
        q = type_of(names.get_name(ours, try_suffixes=(".weight", ".bias")), w, kind)
        if q != Q.F32:
            stored = quants.quantize(np.ascontiguousarray(w, dtype=np.float32), q)
            flat[at.astype(np.int64).ravel()] = quants.dequantize(stored, q).ravel()
    return flat.reshape(value.shape)


def reference(source, tensors, inputs):
    """What transformers computes with these weights in place of the source's."""
    import tempfile

    import torch
    import transformers

    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(f"{source}/config.json", folder)
        original, apart = load_file(f"{source}/model.safetensors"), {}
        for name in original:
            head, found, tail = name.partition(".experts.")
            number, _, leaf = tail.partition(".")
            numbered = found and number.isdigit()
            apart[name] = tensors[f"{head}.experts.{leaf}"][int(number)] if numbered else tensors[name]
        save_file({k: np.ascontiguousarray(v) for k, v in apart.items()}, f"{folder}/model.safetensors", metadata={"format": "pt"})
        model = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
        with torch.no_grad():
            return model(input_ids=torch.from_numpy(inputs["plain/input_ids"])).logits.numpy()


def vocabulary(w, size):
    """Tokens without meaning: what a reader needs to open the file."""
    w.add_tokenizer_model("llama")
    w.add_tokenizer_pre("default")
    w.add_token_list([b"<unk>", b"<s>", b"</s>", b"<|endoftext|>"][:size] + [f"<{i}>".encode() for i in range(4, size)])
    w.add_token_scores([0.0] * size)
    w.add_token_types([2, 3, 3, 3][:size] + [1] * max(0, size - 4))
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)


SKIPPED = ("EncDecAttention.relative_attention_bias", "rotary_emb.inv_freq", ".attn.bias", "position_ids", "act_fn.", "pooler.")


def convert(name, goldens, out):
    source, arch, weights, meta, kind = ROWS[name]
    source = next((f"{g}/{source}" for g in goldens.split(":") if os.path.exists(f"{g}/{source}/config.json")), None)
    if not source:
        return None
    folder = os.path.join(out, name)
    config = json.load(open(f"{source}/config.json"))
    case = json.load(open(f"{source}/case.json"))
    if weights is roberta_positions:
        config["max_position_embeddings"] -= config["pad_token_id"] + 1
    tensors = stacked(load_file(f"{source}/model.safetensors"))
    layers = max(config.get(k) or 0 for k in ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_decoder_layers"))
    names = gguf.get_tensor_name_map(next(k for k, v in gguf.MODEL_ARCH_NAMES.items() if v == arch), layers)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    writer = gguf.GGUFWriter(f"{folder}/model.gguf", arch)
    if arch not in ("t5", "t5encoder"):
        sizes(writer, config)
    meta(writer, config)
    if config["model_type"] == "apertus":
        for key in ("alpha_n", "alpha_p", "beta", "eps"):
            values = [float(tensors[f"model.layers.{i}.mlp.act_fn.{key}"].reshape(-1)[0]) for i in range(layers)]
            getattr(writer, f"add_xielu_{key}")(values)
    if (config.get("rope_parameters") or {}).get("rope_type") == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_factors(config))
    vocabulary(writer, config["vocab_size"])
    for theirs, value in list(tensors.items()):
        if any(part in theirs for part in SKIPPED) or (arch.startswith("t5") and "embed_tokens" in theirs) or (theirs == "lm_head.weight" and config.get("tie_word_embeddings") and arch != "t5"):
            continue
        for ours, w in weights(theirs, value, config):
            ours = ours.removeprefix("distilbert.").removeprefix("roberta.")
            found = names.get_name(ours, try_suffixes=(".weight", ".bias"))
            assert found, f"{name}: gguf has no name for {ours}"
            w, q = np.ascontiguousarray(w, dtype=np.float32), type_of(found, w, kind)
            writer.add_tensor(found, w if q == Q.F32 else quants.quantize(w, q), raw_dtype=q)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    run = "single" if "single" in case["runs"] else next(iter(case["runs"]))
    keep = ("logits", "last_hidden_state")
    inputs = {f"plain/{k.removeprefix(run + '/')}": v for k, v in load_file(f"{source}/inputs.safetensors").items() if k.startswith(run + "/")}
    expected = {f"plain/{k.removeprefix(run + '/')}": v for k, v in load_file(f"{source}/expected.safetensors").items() if k.startswith(run + "/") and k.removeprefix(run + "/") in keep}
    if kind != Q.F32:
        low = {k: rounded(k, v, weights, config, names, kind) for k, v in tensors.items()}
        expected = {"plain/logits": reference(source, low, inputs)}
    save_file(inputs, f"{folder}/inputs.safetensors")
    save_file(expected, f"{folder}/expected.safetensors")
    cls = {"roberta": "BertModel", "distilbert": "BertModel", "mistral": "LlamaForCausalLM", "mt5": "T5ForConditionalGeneration"}.get(config["model_type"], case["class"])
    json.dump({"model_type": arch, "class": cls, "task": "load GGUF", "weights": ["model.gguf"], "runs": {"plain": "as run " + run + " of " + ROWS[name][0]},
               "tolerance": case["tolerance"], "made_with": case.get("made_with", {})}, open(f"{folder}/case.json", "w"), indent=1)
    return folder


# ---- llama.cpp as a witness ----------------------------------------------------------------------------------------------
def witness(folder):
    """Largest difference of log-probabilities over their spread, after prompts of several lengths. A process of its own."""
    import urllib.request

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel, params.cpuparams.n_threads, params.warmup = f"{folder}/model.gguf", 64, 1, 1, False
    server = xllamacpp.Server(params)
    address = server.listening_address
    address = address if address.startswith("http") else "http://" + address
    ids, want = load_file(f"{folder}/inputs.safetensors")["plain/input_ids"], load_file(f"{folder}/expected.safetensors")["plain/logits"]
    gaps = []
    for n in range(2, ids.shape[1] + 1, 2):
        body = dict(prompt=ids[0, :n].tolist(), n_predict=1, n_probs=want.shape[-1], temperature=0.0, cache_prompt=False, ignore_eos=False)
        request = urllib.request.Request(address + "/completion", json.dumps(body).encode(), {"Content-Type": "application/json"})
        answer = json.loads(urllib.request.urlopen(request, timeout=30).read())
        if "completion_probabilities" not in answer:
            continue
        got = np.full(want.shape[-1], np.nan)
        for q in answer["completion_probabilities"][0]["top_logprobs"]:
            got[q["id"]] = q["logprob"]
        z = want[0, n - 1].astype(np.float64)
        kept = np.isfinite(got) & (got > -1e4)
        a, b = got[kept] - np.log(np.exp(got[kept]).sum()), z[kept] - z[kept].max()
        b -= np.log(np.exp(b).sum())
        gaps.append(float(np.abs(a - b).max() / (b.max() - b.min())))
    print("RESULT", f"{max(gaps):.2e} over {len(gaps)} prompts" if gaps else "no probabilities", flush=True)
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("goldens")
    parser.add_argument("out")
    parser.add_argument("filter", nargs="?", default="")
    parser.add_argument("--llamacpp", action="store_true")
    args = parser.parse_args()
    if args.filter == "--one":
        witness(args.goldens)
    for name in ROWS:
        if args.filter not in name:
            continue
        try:
            folder = convert(name, args.goldens, args.out)
        except Exception as error:
            print(f"{name:20s} not written: {type(error).__name__} {error}")
            continue
        if not folder:
            continue
        size = sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder)) // 1024
        said = ""
        if args.llamacpp:
            code = f"import sys; sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r}); import gguf_goldens; gguf_goldens.witness({folder!r})"
            r = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
            lines = [x for x in (r.stdout + r.stderr).splitlines() if x.startswith("RESULT")]
            said = lines[0] if lines else "; ".join([x for x in (r.stdout + r.stderr).splitlines() if "rror" in x][:2])
        print(f"{name:20s} {size:5d} KB  {said}", flush=True)


if __name__ == "__main__":
    main()
