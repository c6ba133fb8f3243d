import { AutoModel, AutoTokenizer } from 'trustformers-js';

// Load model and tokenizer
const tokenizer = await AutoTokenizer.fromPretrained('bert-base-uncased');
const model = await AutoModel.fromPretrained('bert-base-uncased');

// Tokenize input
const inputs = tokenizer.encode('Hello, world!', { returnTensors: 'pt' });

// Run inference
const outputs = await model.forward(inputs.inputIds);

// Get embeddings
const embeddings = outputs.lastHiddenState;
console.log(embeddings.shape());  // [1, seq_len, 768]
