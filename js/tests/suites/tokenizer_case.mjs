// A golden case of a tokenizer, run through the package; the same in Node and in pages.
const text = (bytes) => new TextDecoder().decode(bytes);

/** Gives rows {name, failure, skipped}, one for each kind of comparison. */
export async function runTokenizerCase(lib, files, corpus) {
  const about = JSON.parse(text(files['case.json']));
  const cases = JSON.parse(text(files['cases.json']));
  if (!cases.encode || about.special_tokens === 'text' || /tekken|tiktoken/.test(JSON.stringify(about.files ?? '')))
    return [{ name: 'case', skipped: 'the reference has no special tokens in texts', failure: '' }];
  const { 'case.json': _a, 'cases.json': _b, ...source } = files;
  const tokenizer = await lib.AutoTokenizer.fromPretrained(source);
  const tally = new Map();
  const compare = (kind, row, got, want) => {
    const count = tally.get(kind) ?? { total: 0, wrong: 0, first: '' };
    ++count.total;
    if (JSON.stringify(got) !== JSON.stringify(want) && count.wrong++ === 0) count.first = `${row}: ${JSON.stringify(got)} for ${JSON.stringify(want)}`;
    tally.set(kind, count);
  };
  try {
    for (const row of cases.encode) {
      const input = typeof row.text === 'number' ? corpus[row.text] : row.text;
      if (typeof input !== 'string') continue;
      const [full] = tokenizer.encodeRows(input);
      compare('ids', row.text, full.ids, row.ids);
      compare('ids without special tokens', row.text, tokenizer.encode(input, { addSpecialTokens: false }), row.ids_plain ?? row.ids);
      if (row.offsets) compare('offsets', row.text, full.offsets.flat(), row.offsets);
      if (row.words) compare('words', row.text, full.wordIds, row.words.map((word) => word ?? -1));
      const decoded = row.decode ?? input;
      compare('decode', row.text, tokenizer.decode(full.ids), decoded);
      compare('decode without special tokens', row.text, tokenizer.decode(full.ids, { skipSpecialTokens: true }), row.decode_skip ?? decoded);
    }
    for (const row of cases.pairs ?? []) {
      const [full] = tokenizer.encodeRows(row.text, { textPair: row.pair });
      compare('ids of pairs', row.text, full.ids, row.ids ?? row.input_ids);
      const types = row.type_ids ?? row.token_type_ids;
      if (types) compare('type ids of pairs', row.text, full.typeIds, types);
    }
    for (const row of cases.decode ?? []) compare('decode of ids', row.ids[0], tokenizer.decode(row.ids), row.text);
    for (const row of cases.stream ?? []) {
      const stream = tokenizer.createTextStream({ skipSpecialTokens: true });
      const got = row.ids.map((id) => stream.push(id)).join('') + stream.finish();
      stream.dispose();
      compare('streams', row.ids[0], got, tokenizer.decode(row.ids, { skipSpecialTokens: true }));
    }
  } finally {
    tokenizer.dispose();
  }
  return [...tally].map(([name, { total, wrong, first }]) => ({ name: `${name} (${total})`, skipped: '', failure: wrong ? `${wrong} wrong, first ${first}` : '' }));
}
