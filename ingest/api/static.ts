import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '#service/mod.ts';
import { OPEN } from './auth/mod.ts';
import { GZIP_BYTES_MIN, takesGzip } from './http/compress.ts';

const BUNDLE = join(import.meta.dirname, '../../console/dist');
const ENTRY = 'index.html';
const NONCE = '__CSP_NONCE__';
const FOREVER = 'public, max-age=31536000, immutable';
/** Names that change with the content: Vite puts them here. */
const HASHED = 'assets/';
/** What the console answers under, each with what lies below it. `/api`, `/docs` and the probes are not among them. */
const PAGES = ['events', 'cases', 'devices', 'cameras', 'pipeline', 'notify', 'acknowledge', 'users', 'account', 'sign-in'];

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

interface File {
  type: string;
  body: Buffer;
  gzipped: Buffer | null;
}

/**
 * Scripts, workers and connections of our own only. Styles that components make while they run carry the nonce of the page;
 * `style` attributes are allowed, because charts set them and they run nothing. Pictures may be blobs: the map and live views
 * make them. Tiles of a base map come from the hosts that the configuration names, where it names any.
 */
function pagePolicy(nonce: string, tileOrigins: readonly string[]): string {
  const tiles = tileOrigins.map((origin) => ` ${origin}`).join('');
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'",
    `img-src 'self' data: blob:${tiles}`,
    "media-src 'self' blob:",
    `connect-src 'self'${tiles}`,
    "worker-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; ');
}

/**
 * The web console at `/`: the bundle that `./gewu` has built, kept in memory. Every page of it is the same document; which one
 * is shown, the browser decides. Without a bundle the centre runs all the same, and `/` says how to build it.
 */
export async function installConsole(
  app: FastifyInstance,
  { log, tileOrigins }: { log: Log; tileOrigins: readonly string[] },
): Promise<void> {
  const files = await readBundle();
  if (!files.has(ENTRY)) log.warn('the console is not built: start by ./gewu, or run `npm run console`');
  const config = { access: OPEN };
  const schema = { hide: true };
  for (const page of ['', ...PAGES]) {
    app.get(`/${page}`, { config, schema }, (_request, reply) => sendPage(reply, files, tileOrigins));
    if (page !== '') app.get(`/${page}/*`, { config, schema }, (_request, reply) => sendPage(reply, files, tileOrigins));
  }
  for (const [name, file] of files)
    if (name !== ENTRY) app.get(`/${name}`, { config, schema }, (request, reply) => sendFile(request, reply, name, file));
}

async function readBundle(): Promise<Map<string, File>> {
  const files = new Map<string, File>();
  const entries = await readdir(BUNDLE, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const body = await readFile(path);
    const small = body.length < GZIP_BYTES_MIN || entry.name === ENTRY;
    files.set(relative(BUNDLE, path), { type, body, gzipped: small ? null : await promisify(gzip)(body) });
  }
  return files;
}

function sendPage(reply: FastifyReply, files: ReadonlyMap<string, File>, tileOrigins: readonly string[]): FastifyReply {
  const entry = files.get(ENTRY);
  if (entry === undefined)
    return reply.code(503).type('text/plain; charset=utf-8').send('The console is not built. Start the centre by ./gewu.\n');
  const nonce = randomBytes(16).toString('base64');
  void reply.header('content-security-policy', pagePolicy(nonce, tileOrigins));
  return reply.type(entry.type).send(entry.body.toString('utf8').replaceAll(NONCE, nonce));
}

function sendFile(request: FastifyRequest, reply: FastifyReply, name: string, file: File): FastifyReply {
  const small = file.gzipped !== null && takesGzip(request);
  void reply.headers({
    'cache-control': name.startsWith(HASHED) ? FOREVER : 'no-cache',
    'content-type': file.type,
    vary: 'accept-encoding',
    ...(small ? { 'content-encoding': 'gzip' } : {}),
  });
  return reply.send(small ? file.gzipped : file.body);
}
