/** The whole package, under a name that says that it runs in Node. */
export * from './index.js';
export { default } from './index.js';
