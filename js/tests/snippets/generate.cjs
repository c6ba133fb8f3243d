const { pipeline } = require('trustformers-js');

async function main() {
  const generator = await pipeline('text-generation', 'gpt2');
  const text = await generator('The future of AI is', {
    maxLength: 50
  });

  console.log(text);
}

main();
