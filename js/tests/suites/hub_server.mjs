// A server on the loopback address that imitates the hub: lists of files, redirects, ETags, ranges, LFS hashes; and
// what goes wrong with real ones.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';

const large = 10_000; // from here on a file counts as LFS'

/** `models` maps ids to {name: bytes}. `trouble` may be changed while it runs. `tls`, {key, cert}, is for HTTPS. */
export async function startHub(models, tls = null) {
  const trouble = { breakAfter: 0, html: false, corrupt: false, noRanges: false };
  const requests = [];
  const repositories = new Map(
    Object.entries(models).map(([id, files]) => {
      const list = Object.entries(files).map(([name, bytes]) => {
        const lfs = bytes.length >= large;
        const blob = lfs
          ? createHash('sha256').update(bytes).digest('hex')
          : createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
        return { name, bytes, lfs, blob };
      });
      const commit = createHash('sha1').update(list.map((f) => f.blob).join()).digest('hex');
      return [id, { list, commit }];
    }),
  );
  const blobs = new Map([...repositories.values()].flatMap(({ list }) => list.map((f) => [f.blob, f])));

  const answerRequest = (request, response) => {
    const { pathname } = new URL(request.url, 'http://loopback');
    requests.push(`${request.method} ${pathname}${request.headers.range ? ` ${request.headers.range}` : ''}`);
    const headers = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' };
    const answer = (status, body = '', more = {}) => response.writeHead(status, { ...headers, ...more }).end(body);
    if (request.method === 'OPTIONS') return answer(204, '', { 'Access-Control-Allow-Headers': '*' });
    if (trouble.html) return answer(200, '<!doctype html><title>Log in</title>', { 'Content-Type': 'text/html; charset=utf-8' });

    const api = /^\/api\/models\/(.+)\/revision\/([^/]+)$/.exec(pathname);
    if (api) {
      const found = repositories.get(api[1]);
      if (!found || !['main', found.commit].includes(api[2])) return answer(404, '{"error":"Repository not found"}');
      const siblings = found.list.map(({ name, bytes, lfs, blob }) => ({
        rfilename: name,
        size: bytes.length,
        ...(lfs ? { blobId: 'f'.repeat(40), lfs: { sha256: blob, size: bytes.length, pointerSize: 134 } } : { blobId: blob }),
      }));
      return answer(200, JSON.stringify({ id: api[1], sha: found.commit, siblings }), { 'Content-Type': 'application/json' });
    }

    const resolve = /^\/(.+)\/resolve\/([^/]+)\/(.+)$/.exec(pathname);
    if (resolve) {
      const found = repositories.get(resolve[1]);
      const file = found?.list.find(({ name }) => name === decodeURIComponent(resolve[3]));
      if (!file || ![found.commit, 'main'].includes(resolve[2])) return answer(404, 'Entry not found');
      const more = { ETag: `"${file.blob}"`, 'X-Repo-Commit': found.commit, 'X-Linked-Size': String(file.bytes.length) };
      if (file.lfs) return answer(302, '', { ...more, Location: `/cdn/${file.blob}` });
      return answer(200, file.bytes, { ...more, 'Content-Length': String(file.bytes.length), 'Content-Type': 'text/plain' });
    }

    const cdn = /^\/cdn\/([0-9a-f]+)$/.exec(pathname);
    const file = cdn && blobs.get(cdn[1]);
    if (!file) return answer(404, 'not found');
    const bytes = trouble.corrupt ? file.bytes.map((byte, i) => (i === file.bytes.length - 1 ? byte ^ 1 : byte)) : file.bytes;
    const range = trouble.noRanges ? null : /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const from = range ? Number(range[1]) : 0;
    const body = bytes.subarray(from);
    const more = { 'Content-Length': String(body.length), 'Content-Type': 'application/octet-stream', 'Accept-Ranges': 'bytes' };
    if (range) more['Content-Range'] = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
    response.writeHead(range ? 206 : 200, { ...headers, ...more });
    if (trouble.breakAfter > 0 && body.length > trouble.breakAfter) {
      response.write(body.subarray(0, trouble.breakAfter), () => setTimeout(() => response.destroy(), 20));
      return;
    }
    response.end(body);
  };
  const server = tls ? createSecureServer(tls, answerRequest) : createServer(answerRequest);
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http${tls ? 's' : ''}://127.0.0.1:${server.address().port}/`,
    port: server.address().port,
    trouble,
    requests,
    repositories,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
