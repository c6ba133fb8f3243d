import { runSuite } from './suite.mjs';

addEventListener('unhandledrejection', (event) => {
  postMessage({ rows: [], about: {}, output: '', error: String(event.reason) });
});
const { default: create } = await import('/program/trustformers_browser_tests.mjs');
postMessage(await runSuite(create, { webgpu: true }));
