import { Tensor } from 'trustformers-js';

// Create tensors
const a = Tensor.zeros([2, 3]);
const b = Tensor.randn([2, 3]);

// Operations
const sum = a.add(b);
const product = a.mul(b);
const result = a.matmul(b.transpose(0, 1));

// Access data
const data = result.toArray();
console.log(result.shape());  // [2, 2]
