"""Writes sentencepiece_classes.json: what transformers' classes make of sentencepiece models that have no tokenizer.json.
With transformers 4, sentencepiece_classes_4.json; one class there is made of merges.

    pip install torch transformers tokenizers sentencepiece protobuf; python make_sentencepiece_classes.py
"""
import json
import os
import shutil
import tempfile

import sentencepiece
import transformers
from transformers import AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.join(HERE, "..", "..")
UNIGRAM = "goldens/tokenizers/files-xlmr/sentencepiece.bpe.model"
BPE = "goldens/tokenizers/files-llama/tokenizer.model"
TEXTS = ["Hello world, this is a test.", "  two  spaces\nnew line ", "Größe naïve ﬁne 東京 😀", "a </s> here <pad>", "",
         "``quoted'' don't", "en_XX fr_XX", ">>fra<< Hello", "<mask_1> x <mask_2>"]
PAIR = ("First text.", "Second one")

UNK_AT_2 = "unit/tokenizers/t5_pieces.model"  # of the tokenizer goldens, as Pegasus needs it

# class: sentencepiece model, its name in the folder, more of tokenizer_config.json, whether there is a vocab.json
CLASSES = {
    "MBartTokenizer": (UNIGRAM, "sentencepiece.bpe.model", {}, False),
    "MBart50Tokenizer": (UNIGRAM, "sentencepiece.bpe.model", {"src_lang": "fr_XX"}, False),
    "PegasusTokenizer": (UNK_AT_2, "spiece.model", {}, False),
    "XLNetTokenizer": (UNIGRAM, "spiece.model", {}, False),
    "BigBirdTokenizer": (UNIGRAM, "spiece.model", {}, False),
    "NllbTokenizer": (BPE, "sentencepiece.bpe.model",
                      {"src_lang": "fra_Latn", "additional_special_tokens": ["eng_Latn", "fra_Latn"]}, False),
    "M2M100Tokenizer": (UNIGRAM, "sentencepiece.bpe.model", {"src_lang": "fr"}, True),
    "MarianTokenizer": (UNIGRAM, "source.spm", {}, True),
}

# transformers 5 drops special tokens and pieces of these when there is no tokenizer.json: 4.57.1 writes them.
OLDER = {
    "BarthezTokenizer": (UNIGRAM, "sentencepiece.bpe.model", {}, False),
    "RemBertTokenizer": (UNIGRAM, "sentencepiece.model", {}, False),
    "FNetTokenizer": (UNIGRAM, "spiece.model", {}, False),
    "ReformerTokenizer": (BPE, "spiece.model", {}, False),
    "XGLMTokenizer": (UNIGRAM, "sentencepiece.bpe.model", {}, False),
    "BlenderbotTokenizer": ("goldens/tokenizers/files-roberta/merges.txt", "merges.txt", {}, False),
}


def vocabulary(model):
    pieces = [model.id_to_piece(i) for i in range(model.get_piece_size())]
    names = ["<s>", "<pad>", "</s>", "<unk>", ">>fra<<"] + [p for p in reversed(pieces[3:]) if p != "e"]
    return {name: i for i, name in enumerate(names)}


def main():
    out = []
    older = transformers.__version__.startswith("4")
    for name, (source, file, config, numbered) in (OLDER if older else CLASSES).items():
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(TESTS, source)
            shutil.copy(path, os.path.join(folder, file))
            files = {"tokenizer_config.json": json.dumps({"tokenizer_class": name, **config})}
            if numbered:
                files["vocab.json"] = json.dumps(vocabulary(sentencepiece.SentencePieceProcessor(model_file=path)),
                                                 ensure_ascii=False)
            if name == "BlenderbotTokenizer":
                with open(path.replace("merges.txt", "vocab.json"), encoding="utf-8") as f:
                    files["vocab.json"] = f.read()
            for key, text in files.items():
                with open(os.path.join(folder, key), "w", encoding="utf-8") as f:
                    f.write(text)
            if name == "M2M100Tokenizer":  # the files of the hub name the languages
                from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES
                with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as f:
                    f.write(json.dumps({"tokenizer_class": name, **config, "additional_special_tokens": [
                        f"__{code}__" for code in FAIRSEQ_LANGUAGE_CODES["m2m100"]]}))
            if name == "MarianTokenizer":
                shutil.copy(path, os.path.join(folder, "target.spm"))
            t = AutoTokenizer.from_pretrained(folder)
            assert type(t).__name__.removesuffix("Fast") == name, type(t)
            cases = []
            for text in TEXTS:
                ids = t(text)["input_ids"]
                cases.append({"text": text, "ids": ids, "plain": t(text, add_special_tokens=False)["input_ids"],
                              "decoded": t.decode(ids), "skipped": t.decode(ids, skip_special_tokens=True)})
            pair = t(*PAIR, return_token_type_ids=True)
            out.append({"class": name, "model": source, "name": file, "files": files, "texts": cases,
                        "pair": {"texts": PAIR, "ids": pair["input_ids"], "type_ids": pair["token_type_ids"] if t.is_fast else None},
                        "tokens": {str(i): t.convert_ids_to_tokens(i) for i in (0, 1, 2, 3, 4, 250, len(t) - 1)},
                        "padding_side": t.padding_side, "pad_token_type_id": t.pad_token_type_id})
    with open(os.path.join(HERE, "sentencepiece_classes_4.json" if older else "sentencepiece_classes.json"), "w", encoding="utf-8") as f:
        json.dump({"transformers": transformers.__version__, "classes": out}, f, ensure_ascii=False, indent=0)


main()
