// What the native build answers, to which every WebAssembly build is held: `trustformers chat smollm2 --exact --json`.
export const smollm2 = {
  messages: [{ role: 'user', content: 'Tell me about the sea in a few sentences.' }],
  options: { maxNewTokens: 48, doSample: false },
  tokens: [
    504, 3426, 314, 253, 4749, 284, 11965, 7815, 28, 30055, 351, 13278, 284, 33893, 30, 657, 506, 253, 1379, 837, 260, 6177, 282, 260, 1205, 905, 359,
    12227, 288, 260, 6583, 28, 284, 260, 3426, 506, 11334, 359, 6405, 281, 897, 7448, 30, 2,
  ],
  text: "The sea is a vast and mysterious realm, teeming with wonders and horrors. It's a place where the boundaries of the human world are pushed to the limits, and the sea's secrets are revealed in every corner.",
};

/** The cosines of the first sentence with the others: alike, and not. */
export const minilm = { texts: ['A cat sits on the mat.', 'A kitten rests on a rug.', 'Stocks fell on Friday.'] };
