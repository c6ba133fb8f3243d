// The name under which pages import the package without a bundler.
export * from '../dist/index.mjs';
export { default } from '../dist/index.mjs';
