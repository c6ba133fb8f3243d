import { pipeline } from 'trustformers-js';

// Text classification
const classifier = await pipeline('sentiment-analysis');
const result = await classifier('I love Rust and WebAssembly!');
// [{ label: 'POSITIVE', score: 0.9998 }]

// Text generation
const generator = await pipeline('text-generation', 'gpt2');
const text = await generator('Once upon a time', {
  maxLength: 50,
  numReturnSequences: 1
});

// Question answering
const qa = await pipeline('question-answering');
const answer = await qa({
  question: 'What is WebAssembly?',
  context: 'WebAssembly is a binary instruction format...'
});
console.log(JSON.stringify({ result, text, answer }));
