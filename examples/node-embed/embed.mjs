// How alike sentences are: node embed.mjs [MODEL] [SENTENCE…]. The first sentence is compared with the others.
import { pipeline } from 'trustformers-js';

const [model = 'sentence-transformers/all-MiniLM-L6-v2', ...given] = process.argv.slice(2);
const sentences = given.length > 1 ? given : ['A cat sits on the mat.', 'A kitten rests on a rug.', 'Stocks fell on Friday.'];

const embed = await pipeline('feature-extraction', model);
const vectors = await embed(sentences, { pooling: 'mean', normalize: true });
const [cosines] = vectors.matmul(vectors.transpose(0, 1)).toArray();
sentences.forEach((sentence, i) => i > 0 && console.log(`${cosines[i].toFixed(3)}  ${sentence}`));
await embed.dispose();
