// Every task against what transformers' pipelines gave (tests/goldens/pipelines), as the C++ tests have it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pipeline } from '../dist/index.mjs';

const root = fileURLToPath(new URL('../../tests/goldens/pipelines/', import.meta.url));
const casesOf = (library) => JSON.parse(readFileSync(`${root}expected_${library}.json`, 'utf8')).cases;
// One model is open at a time.
const groups = new Map();
for (const one of ['transformers4', 'transformers5', 'sentence_transformers'].flatMap(casesOf)) {
  const name = `${one.model}: ${one.task}`;
  groups.set(name, [...(groups.get(name) ?? []), one]);
}

/** Numbers may differ by rounding, members neither in name nor in order. */
function difference(got, expected, path = '') {
  if (typeof got === 'number' && typeof expected === 'number')
    return Math.abs(got - expected) <= 2e-5 * Math.max(1, Math.abs(expected)) ? '' : `${path}: ${got} is not ${expected}`;
  if (typeof got !== 'object' || typeof expected !== 'object' || got === null || expected === null)
    return got === expected ? '' : `${path}: ${JSON.stringify(got)} is not ${JSON.stringify(expected)}`;
  const names = Object.keys(expected);
  const sorted = (object) => Object.keys(object).sort().join();
  if (Array.isArray(got) !== Array.isArray(expected) || sorted(got) !== sorted(expected))
    return `${path}: ${JSON.stringify(got)} is not ${JSON.stringify(expected)}`;
  return names.map((name) => difference(got[name], expected[name], `${path}.${name}`)).find((text) => text !== '') ?? '';
}

/** The result in the package's form. */
function inOurForm({ task, inputs, result }) {
  // A list gives a list, also of one.
  if (task === 'fill-mask' && Array.isArray(inputs) && inputs.length === 1) return [result];
  if (task === 'feature-extraction' && !Array.isArray(inputs)) return [result];
  return result;
}

/** One tensor holds all texts, Python's lists only the tokens of each. */
const unpadded = (texts, expected) => texts.map((rows, i) => [rows.slice(0, expected[i][0].length)]);

test.each([...groups])('%s', async (_, cases) => {
  const [{ model, task }] = cases;
  const run = await pipeline(task, root + model, { worker: false });
  let compared = 0;
  try {
    for (const one of cases) {
      const { inputs, options, pipeline: before } = one;
      // Python nests results differently where options come with the pipeline, which ours takes with the call alone.
      if (task === 'text-classification' && Object.keys(before).length > 0) continue;
      const expected = inOurForm(one);
      const found = await run(inputs, { ...before, ...options });
      const got = task === 'feature-extraction' ? unpadded(found.toArray(), expected) : found;
      expect([inputs, options, difference(got, expected)]).toEqual([inputs, options, '']);
      ++compared;
    }
  } finally {
    await run.dispose();
  }
  expect(compared).toBeGreaterThan(0);
});

test('spans count UTF-16 units', async () => {
  const tag = await pipeline('ner', `${root}bert-ner`, { worker: false });
  const text = '😀 Wolfgang lives in Berlin. 😀';
  const plain = await tag(text.replaceAll('😀', 'é'), { ignoreLabels: [] });
  const found = await tag(text, { ignoreLabels: [] });
  expect(found.length).toBeGreaterThan(0);
  for (const { word, start, end } of found) if (/^[a-z]+$/i.test(word)) expect(text.slice(start, end).toLowerCase()).toBe(word.toLowerCase());
  expect(plain.length).toBe(found.length);
  await tag.dispose();
});

test('a model that is not there is refused by name', () =>
  expect(pipeline('summarization', `${root}no-such-model`, { worker: false })).rejects.toMatchObject({ code: 'not_found' }));
