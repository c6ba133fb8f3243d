// Runs the suite here or in a worker, as ?in= says, and posts the results to the server.
import { runSuite } from './suite.mjs';

const post = (results) => fetch('/results', { method: 'POST', body: JSON.stringify(results) });
const failed = (error) => post({ rows: [], about: {}, output: '', error: String(error) });

// A throw that nobody caught (a callback that broke its promise not to) must not look like a quiet end.
addEventListener('error', (event) => failed(event.message));
addEventListener('unhandledrejection', (event) => failed(event.reason));

if (new URLSearchParams(location.search).get('in') === 'worker') {
  const worker = new Worker('/worker.mjs', { type: 'module' });
  worker.onmessage = (event) => post(event.data);
  worker.onerror = (event) => failed(event.message);
} else {
  const { default: create } = await import('/program/trustformers_browser_tests.mjs');
  post(await runSuite(create, { webgpu: true }));
}
