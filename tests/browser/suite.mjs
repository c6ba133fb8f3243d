// Loads the program and collects its rows; the same code under Node, in a page and in a worker.

/**
 * @param {Function} create the module's factory
 * @param {{webgpu: boolean}} expected whether the host has a GPU to offer
 * @returns rows {group, name, failure, at_ms since the start}, facts about the host, the program's own output, and an error or null
 */
export async function runSuite(create, expected) {
  const results = { rows: [], about: {}, output: '', error: null };
  const ends = new Map();
  const ended = (group) => new Promise((resolve) => ends.set(group, resolve));
  const print = (text) => (results.output += `${text}\n`);
  try {
    const start = performance.now();
    const module = await create({
      print,
      printErr: print,
      report: (row) => {
        if (row.end) ends.get(row.group)();
        else results.rows.push({ ...row, at_ms: Math.round(performance.now() - start) });
      },
    });
    const loaded = performance.now();
    const cpu = ended('cpu');
    module._run_cpu_rows();
    await cpu;
    const middle = performance.now();
    const webgpu = ended('webgpu');
    module._run_webgpu_rows(expected.webgpu ? 1 : 0);
    await webgpu;
    results.about = {
      load_ms: Math.round(loaded - start),
      cpu_ms: Math.round(middle - loaded),
      webgpu_ms: Math.round(performance.now() - middle),
      isolated: globalThis.crossOriginIsolated ?? null,
    };
  } catch (error) {
    results.error = String(error?.stack || error);
  }
  return results;
}
