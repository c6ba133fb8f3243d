// A chat with a model that the visitor brings. The engine runs in a worker, so that the page stays free.
import { pipeline, TextStreamer } from '../../js/dist/index.mjs';

const at = (id) => document.getElementById(id);
let chat = null;
let messages = [];
let controller = null;

function ready(on) {
  at('question').disabled = at('send').disabled = !on;
}

/** A file that was dropped, or the files of a folder. */
async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // A folder tells of its entries in batches, the last of which is empty.
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return found;
    found.push(...(await Promise.all(batch.map(filesOf))).flat());
  }
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
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  void Promise.all(entries.map(filesOf)).then((lists) => load(lists.flat()));
});
at('stop').addEventListener('click', () => controller?.abort());
at('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  const question = at('question').value.trim();
  at('question').value = '';
  if (question) void ask(question);
});
