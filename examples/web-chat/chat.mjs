// A chat with a model that the visitor brings. The engine runs in a worker, so that the page stays free.
import { pipeline, TextStreamer } from '../../js/dist/index.mjs';

const at = (id) => document.getElementById(id);
let chat = null;
let messages = [];
let controller = null;

function ready(on) {
  at('question').disabled = at('send').disabled = !on;
}

async function load(files) {
  ready(false);
  await chat?.dispose();
  chat = null;
  messages = [];
  at('turns').replaceChildren();
  try {
    const progressCallback = (info) => {
      if (info.status === 'progress_total') at('state').textContent = `Loading: ${info.progress.toFixed(0)} %`;
    };
    chat = await pipeline('text-generation', files, { progressCallback });
    const { threadCount, threads } = chat.report;
    at('state').textContent = `Ready, with ${threadCount} thread${threadCount > 1 ? 's' : `: ${threads}`}.`;
    ready(true);
  } catch (error) {
    at('state').textContent = error.message;
  }
}

function turn(role, text) {
  const p = document.createElement('p');
  p.className = role;
  p.textContent = text;
  at('turns').append(p);
  return p;
}

async function ask(question) {
  ready(false);
  at('stop').disabled = false;
  messages.push({ role: 'user', content: question });
  turn('user', question);
  const answer = turn('assistant', '');
  controller = new AbortController();
  let tokens = 0;
  let first = 0;
  const streamer = new TextStreamer(null, {
    callbackFunction: (text) => (answer.textContent += text),
    tokenCallbackFunction: () => {
      if (tokens++ === 0) first = performance.now();
      const seconds = (performance.now() - first) / 1000;
      if (tokens > 1) at('state').textContent = `${((tokens - 1) / seconds).toFixed(1)} tokens/s`;
    },
  });
  try {
    await chat(messages, { maxNewTokens: 512, streamer, signal: controller.signal });
  } catch (error) {
    if (error.code !== 'cancelled') at('state').textContent = error.message;
  }
  messages.push({ role: 'assistant', content: answer.textContent });
  at('stop').disabled = true;
  ready(true);
}

at('files').addEventListener('change', (event) => load([...event.target.files]));
at('drop').addEventListener('dragover', (event) => event.preventDefault());
at('drop').addEventListener('drop', (event) => {
  event.preventDefault();
  void load([...event.dataTransfer.files]);
});
at('stop').addEventListener('click', () => controller?.abort());
at('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  const question = at('question').value.trim();
  at('question').value = '';
  if (question) void ask(question);
});
