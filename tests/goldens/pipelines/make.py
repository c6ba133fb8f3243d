"""Writes the tiny models of this folder and what transformers' pipelines make of them.

    pip install torch transformers tokenizers              # 5.x: make.py models, make.py expect
    pip install --target OLD transformers==4.57.1 ...      # question-answering, text2text: sentencepiece;
                                                           # PYTHONPATH=OLD make.py translators, make.py expect4
    pip install sentence-transformers                      # make.py sentences

Weights are random, and so are the answers: what counts is that they are the same.
"""
import json
import os
import sys

import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import pipeline

HERE = os.path.dirname(os.path.abspath(__file__))
TEXT = """Wolfgang lives in Berlin and works for the United Nations. Maria moved from New York to Paris in 2019.
The quick brown fox jumps over the lazy dog. Isn't it nice? I don't know, she said; we've seen 'it' before!
Translate English to French: the house is wonderful. How many people live in Hamburg? About two million people live there.
This example is about sports, politics or science. I love this movie. I hate that film. Best in show, worst in class."""
CORPUS = TEXT.split("\n")


def folder(name):
    path = os.path.join(HERE, name)
    os.makedirs(path, exist_ok=True)
    return path


def save(name, model, tokenizer, tokenizer_config):
    path = folder(name)
    torch.manual_seed(sum(name.encode()))
    for key, p in model.named_parameters():
        scale = 0.6 if p.dim() > 1 else 0.2
        center = 1.0 if ("norm" in key.lower() or "ln_" in key) and key.endswith("weight") else 0.0
        p.data = center + scale * torch.randn_like(p)
    model.to(torch.float16).to(torch.float32).save_pretrained(path)
    tokenizer.save(os.path.join(path, "tokenizer.json"), pretty=False)
    with open(os.path.join(path, "tokenizer_config.json"), "w") as file:
        json.dump(tokenizer_config, file, indent=1)


def wordpiece():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=150, special_tokens=special, show_progress=False))
    t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    t.decoder = decoders.WordPiece()
    return t


BERT_TOKENS = {"tokenizer_class": "BertTokenizer", "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]",
               "cls_token": "[CLS]", "mask_token": "[MASK]", "model_max_length": 40, "clean_up_tokenization_spaces": True}


def byte_bpe(special, size=330):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=size, special_tokens=special, show_progress=False,
                                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return t


def roberta_tokenizer():
    t = byte_bpe(["<s>", "<pad>", "</s>", "<unk>"])
    from tokenizers import AddedToken
    t.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return t


ROBERTA_TOKENS = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
                  "sep_token": "</s>", "pad_token": "<pad>", "cls_token": "<s>", "model_max_length": 40,
                  "mask_token": {"__type": "AddedToken", "content": "<mask>", "lstrip": True, "rstrip": False,
                                 "normalized": False, "single_word": False, "special": True},
                  "model_input_names": ["input_ids", "attention_mask"]}


def metaspace(special, post):
    t = Tokenizer(models.Unigram())
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.decoder = decoders.Metaspace()
    t.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=160, special_tokens=special, unk_token="<unk>",
                                                          show_progress=False))
    post(t)
    return t


CHAT = ("{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}")


def write_models():
    from transformers import (BartConfig, BartForSequenceClassification, BertConfig, BertForMaskedLM, BertForSequenceClassification,
                              BertForTokenClassification, BertForQuestionAnswering, GPT2Config, GPT2LMHeadModel,
                              M2M100Config, M2M100ForConditionalGeneration, RobertaConfig, RobertaForMaskedLM,
                              RobertaForTokenClassification, RobertaForQuestionAnswering, T5Config,
                              T5ForConditionalGeneration)
    t = wordpiece()
    small = dict(vocab_size=t.get_vocab_size(), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                 intermediate_size=24, max_position_embeddings=40)
    save("bert-fill", BertForMaskedLM(BertConfig(**small)), t, BERT_TOKENS)
    ner = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    named = lambda labels: dict(id2label=dict(enumerate(labels)), label2id={l: i for i, l in enumerate(labels)})
    save("bert-ner", BertForTokenClassification(BertConfig(**small, **named(ner))), t, BERT_TOKENS)
    save("bert-answers", BertForQuestionAnswering(BertConfig(**small)), t, BERT_TOKENS)
    save("bert-nli", BertForSequenceClassification(BertConfig(**small, **named(["CONTRADICTION", "NEUTRAL", "ENTAILMENT"]))), t,
         BERT_TOKENS)
    save("bert-ranker", BertForSequenceClassification(BertConfig(**small, num_labels=1)), t, BERT_TOKENS)
    save("bert-regression", BertForSequenceClassification(BertConfig(**small, num_labels=2, problem_type="regression")), t,
         BERT_TOKENS)
    save("bert-multilabel", BertForSequenceClassification(BertConfig(**small, num_labels=3,
                                                                     problem_type="multi_label_classification")), t,
         BERT_TOKENS)
    t = roberta_tokenizer()
    small = dict(vocab_size=t.get_vocab_size(), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                 intermediate_size=24, max_position_embeddings=42, type_vocab_size=1, pad_token_id=1, bos_token_id=0,
                 eos_token_id=2)
    save("roberta-fill", RobertaForMaskedLM(RobertaConfig(**small)), t, ROBERTA_TOKENS)
    save("roberta-ner", RobertaForTokenClassification(RobertaConfig(**small, **named(ner))), t, ROBERTA_TOKENS)
    save("roberta-answers", RobertaForQuestionAnswering(RobertaConfig(**small)), t, ROBERTA_TOKENS)
    t = byte_bpe(["<|endoftext|>", "<|user|>", "<|assistant|>", "<|end|>"])
    save("gpt2-chat", GPT2LMHeadModel(GPT2Config(vocab_size=t.get_vocab_size(), n_embd=16, n_layer=1, n_head=2,
                                                 n_positions=128, bos_token_id=0, eos_token_id=0)), t,
         {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
          "model_max_length": 128, "chat_template": CHAT, "clean_up_tokenization_spaces": True})

    def eos(t):
        t.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>",
                                                         special_tokens=[("</s>", t.token_to_id("</s>"))])
    t = metaspace(["<pad>", "</s>", "<unk>"], eos)
    save("t5", T5ForConditionalGeneration(T5Config(
        vocab_size=t.get_vocab_size(), d_model=16, d_kv=8, d_ff=24, num_layers=1, num_heads=2, decoder_start_token_id=0,
        task_specific_params={"summarization": {"prefix": "summarize: ", "num_beams": 2, "max_length": 9},
                              "translation_en_to_fr": {"prefix": "translate English to French: ", "max_length": 12}})), t,
         {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>",
          "model_max_length": 64})


def write_translators():
    """Models that name languages, with transformers 4: its classes make tokenizers of sentencepiece models."""
    import shutil
    import sentencepiece
    from transformers import (M2M100Config, M2M100ForConditionalGeneration, M2M100Tokenizer, MBart50TokenizerFast, MBartConfig,
                              MBartForConditionalGeneration, NllbTokenizerFast)
    sizes = dict(d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
                 encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=64, decoder_start_token_id=2, pad_token_id=1,
                 eos_token_id=2, bos_token_id=0)
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES
    codes = [f"__{code}__" for code in FAIRSEQ_LANGUAGE_CODES["m2m100"]]  # the files of the hub name them
    nllb = ["eng_Latn", "fra_Latn", "deu_Latn"]
    for name, source, config, tokens, settings, model in (
            ("mbart50", "files-xlmr/sentencepiece.bpe.model", {"tokenizer_class": "MBart50Tokenizer", "src_lang": "en_XX"},
             MBart50TokenizerFast, MBartConfig, MBartForConditionalGeneration),
            ("m2m-100", "files-xlmr/sentencepiece.bpe.model", {"tokenizer_class": "M2M100Tokenizer",
                                                                 "additional_special_tokens": codes}, M2M100Tokenizer,
             M2M100Config, M2M100ForConditionalGeneration),
            ("nllb", "files-llama/tokenizer.model", {"tokenizer_class": "NllbTokenizer", "src_lang": "eng_Latn",
                                                     "additional_special_tokens": nllb},
             NllbTokenizerFast, M2M100Config, M2M100ForConditionalGeneration)):
        path = folder(name)
        file = os.path.join(path, "sentencepiece.bpe.model")
        shutil.copy(os.path.join(HERE, "..", "tokenizers", source), file)
        with open(os.path.join(path, "tokenizer_config.json"), "w") as out:
            json.dump(config, out, indent=1)
        if name == "m2m-100":
            pieces = sentencepiece.SentencePieceProcessor(model_file=file)
            names = ["<s>", "<pad>", "</s>", "<unk>"] + [pieces.id_to_piece(i) for i in range(3, pieces.get_piece_size())]
            with open(os.path.join(path, "vocab.json"), "w") as out:
                json.dump({piece: i for i, piece in enumerate(names)}, out, ensure_ascii=False)
        tokenizer = tokens.from_pretrained(path)
        size = max([*tokenizer.get_vocab().values(), *getattr(tokenizer, "lang_token_to_id", {}).values()]) + 1
        network = model(settings(vocab_size=size + 8, **sizes))
        torch.manual_seed(sum(name.encode()))
        for key, p in network.named_parameters():
            center = 1.0 if "norm" in key and key.endswith("weight") else 0.0
            p.data = center + (0.6 if "shared" in key else 1.2 if p.dim() > 1 else 0.2) * torch.randn_like(p)
        network.save_pretrained(path)


SENTENCES = ["I love this movie.", "Wolfgang lives in Berlin, doesn't he?", "People!"]


def calls(kind):
    """(folder, task, inputs, options of the pipeline, options of the call); a name without folder writes nothing."""
    if kind == 4:
        context = CORPUS[0] + " " + CORPUS[2]
        qa = {"question": "Where does Wolfgang live?", "context": context}
        for name in ("bert-answers", "roberta-answers"):
            cut = {"doc_stride": 4}  # questions are long for models this small
            yield name, "question-answering", {"question": "Who?", "context": CORPUS[0][:20]}, {}, {}
            yield name, "question-answering", qa, {}, cut
            yield name, "question-answering", qa, cut, {"top_k": 3}
            yield name, "question-answering", qa, cut, {"top_k": 3, "align_to_words": False, "max_answer_len": 4}
            yield name, "question-answering", qa, {}, {"top_k": 2, "doc_stride": 2, "max_seq_len": 34}
            yield name, "question-answering", qa, cut, {"top_k": 4, "handle_impossible_answer": True}
            yield name, "question-answering", [qa, {"question": "Who?", "context": CORPUS[1]}], cut, {}
            yield name, "question-answering", {"question": ["Who?", "How many?"], "context": context}, cut, {"top_k": 2}
        for options in ({"max_new_tokens": 8}, {"max_new_tokens": 6, "num_beams": 1},
                        {"max_new_tokens": 7, "num_beams": 3, "num_return_sequences": 2},
                        {"max_new_tokens": 5, "return_tensors": True}):
            yield "t5", "text2text-generation", SENTENCES[0], {}, options
            yield "t5", "text2text-generation", SENTENCES, {}, options
        yield "t5", "summarization", SENTENCES, {}, {"max_new_tokens": 9}
        yield "t5", "translation_en_to_fr", SENTENCES[1], {}, {"max_new_tokens": 9}
        for name, languages in (("mbart50", ("en_XX", "fr_XX", "ro_RO")), ("m2m-100", ("en", "fr", "ro")),
                                ("nllb", ("eng_Latn", "fra_Latn", "deu_Latn"))):
            for source, target in ((0, 1), (1, 2), (2, 0)):
                named = {"src_lang": languages[source], "tgt_lang": languages[target], "max_new_tokens": 8}
                yield name, "translation", SENTENCES[0], {}, {**named, "num_beams": 1}
                yield name, "translation", SENTENCES, {}, {**named, "num_beams": 3}
        for stop in (["e"], ["th", " a"], ["."], ["zz"]):
            yield "gpt2-chat", "text-generation", SENTENCES, {}, {"do_sample": False, "num_beams": 3, "max_new_tokens": 14,
                                                                  "num_return_sequences": 2, "stop_strings": stop}
        return
    for name, mask in (("bert-fill", "[MASK]"), ("roberta-fill", "<mask>")):
        yield name, "fill-mask", f"I love this {mask}.", {}, {}
        yield name, "fill-mask", f"The {mask} fox isn't {mask} nice!", {}, {"top_k": 2}
        yield name, "fill-mask", [f"I love this {mask}.", f"{mask} lives in New York , doesn ' t he ?"], {}, {"top_k": 3}
        yield name, "fill-mask", [f"I love this {mask}."], {"top_k": 1}, {}
        yield name, "fill-mask", f"Best in {mask}", {}, {"targets": ["show", "berlin", "zebra"]}
    for name in ("bert-nli", "bert-ranker", "bert-regression", "bert-multilabel"):
        yield name, "text-classification", SENTENCES[0], {}, {}
        yield name, "text-classification", SENTENCES, {}, {}
        yield name, "text-classification", SENTENCES[1], {}, {"top_k": 2}
        yield name, "text-classification", SENTENCES[1], {"top_k": None}, {}
        yield name, "text-classification", SENTENCES, {}, {"top_k": None, "function_to_apply": "sigmoid"}
        yield name, "text-classification", SENTENCES[2], {}, {"function_to_apply": "none"}
        yield name, "text-classification", {"text": SENTENCES[0], "text_pair": SENTENCES[1]}, {}, {}
        yield name, "text-classification", TEXT, {}, {"truncation": True, "max_length": 20}
    labels = {"candidate_labels": ["sports", "politics", "science or movie"]}
    yield "bert-nli", "zero-shot-classification", SENTENCES[0], {}, labels
    yield "bert-nli", "zero-shot-classification", SENTENCES, {}, {"candidate_labels": "sports, politics,nice"}
    yield "bert-nli", "zero-shot-classification", SENTENCES[1], {}, {**labels, "multi_label": True}
    yield "bert-nli", "zero-shot-classification", TEXT, {}, {**labels, "hypothesis_template": "It is {}."}
    yield "bert-nli", "zero-shot-classification", SENTENCES[0], {}, {"candidate_labels": ["one"]}
    for name in ("bert-ner", "roberta-ner"):
        for strategy in ("none", "simple", "first", "average", "max"):
            options = {"aggregation_strategy": strategy}
            yield name, "token-classification", SENTENCES, {}, options
            yield name, "ner", "Maria moved from New York to Hämburg — 東 2019!", {}, options
            yield name, "token-classification", CORPUS[0][:90], {"ignore_labels": ["B-PER"]}, options
        yield name, "token-classification", TEXT, {"aggregation_strategy": "simple"}, {"stride": 6}
        yield name, "token-classification", TEXT, {"aggregation_strategy": "first", "stride": 0}, {}
    yield "bert-ner", "token-classification", ["Wolfgang", "lives", "in", "New York", "."], {}, \
        {"is_split_into_words": True, "aggregation_strategy": "simple"}
    yield "bert-fill", "feature-extraction", "I love", {}, {}
    yield "roberta-fill", "feature-extraction", ["I love", "People!"], {}, {}
    greedy = {"do_sample": False}
    for options in ({"max_new_tokens": 8}, {"max_new_tokens": 8, "return_full_text": False},
                    {"max_length": 14}, {"max_new_tokens": 5, "return_tensors": True},
                    {"max_new_tokens": 6, "num_beams": 3, "num_return_sequences": 2},
                    {"max_new_tokens": 9, "repetition_penalty": 1.5, "prefix": "The "}):
        yield "gpt2-chat", "text-generation", SENTENCES[0], greedy, options
        yield "gpt2-chat", "text-generation", SENTENCES, greedy, options
    chat = [{"role": "user", "content": "How many people?"}]
    more = chat + [{"role": "assistant", "content": "About two"}]
    yield "gpt2-chat", "text-generation", chat, greedy, {"max_new_tokens": 7}
    yield "gpt2-chat", "text-generation", [chat, more], greedy, {"max_new_tokens": 7}
    yield "gpt2-chat", "text-generation", more, greedy, {"max_new_tokens": 5, "continue_final_message": False}
    yield "gpt2-chat", "text-generation", more, greedy, {"max_new_tokens": 5, "return_full_text": False}
    yield "gpt2-chat", "text-generation", TEXT, greedy, {"max_new_tokens": 20, "handle_long_generation": "hole",
                                                          "return_full_text": False}


def plain(value):
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    return float(f"{value:.8g}") if isinstance(value, float) else value


def write(kind, versions, cases):
    path = os.path.join(HERE, f"expected_{kind}.json")
    with open(path, "w") as file:
        json.dump({**versions, "torch": torch.__version__, "cases": cases}, file, ensure_ascii=False, indent=0)
    print(len(cases), "cases in", path)


def write_sentences():
    """text-ranking and sentence-similarity, which transformers has not."""
    import sentence_transformers
    from sentence_transformers import CrossEncoder, SentenceTransformer, util

    documents = ["Berlin is large.", "About two million people live there.", "I love this movie.", "People!"]
    cases = []
    ranker = CrossEncoder(os.path.join(HERE, "bert-ranker"))
    for query in ("How many people live in Hamburg?", "Who?"):
        for options in ({}, {"top_k": 2}, {"return_documents": True}):
            cases.append({"model": "bert-ranker", "task": "text-ranking", "inputs": {"query": query, "documents": documents},
                          "pipeline": {}, "options": options, "result": plain(ranker.rank(query, documents, **options))})
    for name in ("bert-fill", "roberta-fill"):
        encoder = SentenceTransformer(os.path.join(HERE, name))
        for source in CORPUS[:2]:
            vectors = encoder.encode([source, *documents])
            cases.append({"model": name, "task": "sentence-similarity",
                          "inputs": {"source_sentence": source, "sentences": documents}, "pipeline": {}, "options": {},
                          "result": plain(util.cos_sim(vectors[:1], vectors[1:])[0].tolist())})
    write("sentence_transformers", {"sentence_transformers": sentence_transformers.__version__}, cases)


def write_expected(kind):
    cases = []
    for name, task, inputs, init, options in calls(kind):
        pipe = pipeline(task, model=os.path.join(HERE, name), tokenizer=os.path.join(HERE, name), device="cpu", **init)
        try:
            if task == "question-answering":
                given = inputs if isinstance(inputs, dict) else None
                result = pipe(**given, **options) if given else pipe(inputs, **options)
            else:
                more = {"tokenizer": pipe.tokenizer} if "stop_strings" in options else {}
                result = pipe(inputs, **options, **more)
        except Exception as error:
            print("skipped", name, task, options, error, file=sys.stderr)
            continue
        cases.append({"model": name, "task": task, "inputs": inputs, "pipeline": init, "options": options,
                      "result": plain(result)})
    write(f"transformers{kind}", {"transformers": transformers.__version__}, cases)


if __name__ == "__main__":
    {"models": write_models, "translators": write_translators, "sentences": write_sentences, "expect": lambda: write_expected(5),
     "expect4": lambda: write_expected(4)}[sys.argv[1]]()
