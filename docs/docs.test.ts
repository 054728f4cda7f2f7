import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { formatWithOptions, promisify } from 'node:util';
import {
  banked,
  createKeyRing,
  definePolicy,
  E2eeError,
  type E2eeErrorCode,
  powens,
  remoteJwks,
} from '@e2ee/core';
import { e2ee as server } from '@e2ee/express';
import { e2ee as client } from '@e2ee/fetch';
import express, { type Express } from 'express';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { anchorsOf, brokenLinks, linksOf } from '../scripts/check-links.js';
import { siteLink, sourcePages } from './.vitepress/pages.js';

/*
 * The code of the pages. A block is named after the file that it is (part of); one that cannot run says `not-run`. What
 * the comment behind a `console.log` says is what it prints. Plain JavaScript is checked as the TypeScript that it is as well.
 */
const docs = import.meta.dirname;
const root = join(docs, '..');
/** These have tests of their own, or none to run. */
const OTHERS = /^(keys|per-message-key|refusals|timing|threat-model|architecture|testing|performance)\.md$/;

interface Page {
  readonly name: string;
  readonly text: string;
  readonly blocks: readonly { readonly name: string; readonly code: string }[];
}

const pages = await readPages();
const sources = sourcePages();
let directory: string;
const servers: Server[] = [];
const printed: string[] = [];

beforeAll(async () => {
  // Below the repository, so that the packages are found as a user's project finds them. Git ignores the name.
  directory = await mkdtemp(join(root, 'test/.readme-docs-'));
  for (const page of pages) await writePage(page);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

afterAll(async () => {
  for (const each of servers) {
    each.close();
    each.closeAllConnections();
  }
  await rm(directory, { recursive: true, force: true });
});

describe('the code of the pages', () => {
  it('is named, or marked as not run', () => {
    for (const { name, text, blocks } of pages) {
      const all = [...text.matchAll(/^```(ts|js)\b(.*)$/gm)].map(([, language = '', info = '']) => ({
        language,
        info: info.trim(),
      }));
      expect(
        all.map(({ info }) => info),
        name,
      ).toEqual(blocks.map((block) => block.name));
      for (const { language, info } of all)
        expect(info, name).toMatch(language === 'ts' ? /^(not-run|[\w-]+\.ts)$/ : /^[\w-]+\.mjs$/);
    }
  });

  it('has the types that it says', async () => {
    const config = {
      extends: '../../tsconfig.base.json',
      compilerOptions: {
        noEmit: true,
        isolatedDeclarations: false,
        declaration: false,
        sourceMap: false,
        inlineSources: false,
      },
      include: ['**/*.ts'],
    };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const result = await promisify(execFile)(process.execPath, [tsc, '-p', directory]).catch(
      (error) => error,
    );
    expect(result.stdout).toBe('');
  });

  it('of the first server and client is that of the README, which has a test of its own', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    for (const end of ['server', 'client']) {
      const name = `${end}.mjs`;
      const code = blocksOf(readme).find((block) => block.name === name)?.code;
      expect(code).toBeDefined();
      expect(pages.find((page) => page.name === `start/${end}.md`)?.blocks).toContainEqual({ name, code });
    }
  });

  it('takes 30 lines at the most to start with', () => {
    for (const { name, blocks } of pages.filter(({ name }) => name.startsWith('start/'))) {
      for (const { code } of blocks) expect(code.split('\n').length, name).toBeLessThanOrEqual(30);
    }
  });

  it.each([
    ['policy.md', 'policy.ts', 'from-json.ts'],
    ['profiles.md', 'acme.ts'],
    ['errors.md', 'errors.ts'],
    ['recipes/add-partner.md', 'partner.ts', 'provider.ts'],
    ['recipes/rotate.md', 'rotate.ts'],
    ['recipes/key-service.md', 'key-service.ts'],
    ['recipes/logging.md', 'log.ts'],
    ['recipes/own-both-ends.md', 'strict.ts', 'per-call.ts', 'signed.ts'],
  ])('of %s prints what its comments say', async (page, ...files) => {
    for (const file of files) {
      const output = await run(page, file);
      expect(output).not.toMatch(/s3cret/);
      const expected = expectedOf(codeOf(page, file));
      expect(output.split('\n'), file).toEqual(expect.arrayContaining(expected));
    }
  });

  it('of the client with fetch talks to the server', async () => {
    const app = express().use(express.json());
    app.use(server({ profile: banked, keyRing: await createKeyRing() }));
    app.post('/v2/payment_sessions', (req, res) => void res.status(201).json(req.body));
    vi.stubEnv('API_URL', await listen(app));
    expect(await run('start/client.md', 'fetch.mjs')).toBe(
      '201 {"amount":1999,"payee":{"name":"[REDACTED]"}}',
    );
  });

  it('of a plain server and a client by hand talk encrypted, and refuses in the form of the profile', async () => {
    vi.stubEnv('PORT', '0');
    const { server: plain } = await load('recipes/plain-http.md', 'server.ts');
    servers.push(plain);
    const url = urlOf(plain);
    vi.stubEnv('API_URL', url);
    const output = await run('recipes/plain-http.md', 'client.ts');
    expect(output.split('\n')).toEqual(expectedOf(codeOf('recipes/plain-http.md', 'client.ts')));

    const post = async (body: string): Promise<[number, unknown]> => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${url}/v2/payment_sessions`, { method: 'POST', headers, body });
      return [response.status, Object(await response.json()).errors[0].code];
    };
    expect(await post('{"payee":"John Doe"}')).toEqual([400, 'plaintext_refused']);
    expect(await post('{"payee":')).toEqual([400, 'body_unreadable']);
    expect(await post(JSON.stringify('x'.repeat(1_000_000)))).toEqual([413, 'body_too_large']);
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
  });

  it('of the page sends tokens that the API opens', async () => {
    const seen: unknown[] = [];
    const app = express().use(express.json());
    app.use((req, _res, next) => {
      seen.push(req.body);
      next();
    });
    app.use(server({ profile: powens, keyRing: await createKeyRing() }));
    app.post('/users/me/connections', (req, res) => void res.status(201).json({ seen: seen.push(req.body) }));
    const url = await listen(app);
    const hosts = { 'https://shop.example.com': url, 'https://api.example.com': url };
    expect(await run('start/browser.md', 'page.ts', hosts)).toBe('201');
    const [wire, plain] = seen.filter((body) => body !== undefined);
    const token = expect.stringMatching(/^eyJ/);
    expect(wire).toEqual({ id_connector: 59, login: token, password: token });
    expect(plain).toEqual({ id_connector: 59, login: '0012345678', password: 'correct horse' });
  });

  it('of the Swagger recipe says what the policy does', async () => {
    const { describeEncryption } = await load('recipes/nest-swagger.md', 'describe-encryption.ts');
    const document = {
      openapi: '3.0.0',
      paths: { '/v2/payment_sessions': { post: { description: 'Pays.' } }, '/a': {} },
    };
    const described = describeEncryption(document, definePolicy(banked.policy));
    const { description } = described.paths['/v2/payment_sessions'].post;
    const [, shown = ''] =
      /```\n(\*\*Encryption\*\*[\s\S]*?)```/.exec(textOf('recipes/nest-swagger.md')) ?? [];
    expect(description).toBe(`Pays.\n\n${shown.trim()}`);
    expect(document.paths['/v2/payment_sessions'].post.description).toBe('Pays.');
  });

  it('of the migration accepts and reports, then refuses, one client after another', async () => {
    vi.spyOn(console, 'log').mockImplementation((...line) => void printed.push(line.join(' ')));
    const { app, moved, partners } = await load('recipes/migrate.md', 'api.ts');
    const url = await listen(app);
    const headers = { 'content-type': 'application/json', 'x-client': 'acme' };
    const order = { method: 'POST', headers, body: JSON.stringify({ card: '4242' }) };
    const keyRing = await createKeyRing();
    const policy = {
      'POST /orders': { card: { request: 'encrypt', response: 'redact-or-encrypt' } },
    } as const;
    const encryptionKeys = remoteJwks(`${url}/.well-known/jwks.json`);
    const encrypting = client({ profile: banked, policy, encryptionKeys, keyRing, onEvent: () => {} });
    const plain = async (): Promise<unknown> => (await fetch(`${url}/orders`, order)).json();
    const encrypted = async (): Promise<unknown> => (await encrypting(`${url}/orders`, order)).json();

    expect(await plain()).toEqual({ card: '4242' });
    expect(printed.splice(0)).toEqual([/^plaintext_accepted .*$/m.exec(textOf('recipes/migrate.md'))?.[0]]);
    expect(await encrypted()).toEqual({ card: '4242' });
    expect(printed).toEqual([]);
    moved.add('acme');
    expect(await plain()).toMatchObject({ errors: [{ code: 'plaintext_refused' }] });
    expect(await encrypted()).toEqual({ card: '[REDACTED]' });
    await partners.set('acme', { response: 'encrypt', keys: keyRing.jwks().keys });
    expect(await encrypted()).toEqual({ card: '4242' });
    encryptionKeys.close();
  });
});

describe('the references', () => {
  it('name every error code with its status', async () => {
    const source = await readFile(join(root, 'packages/core/src/errors.ts'), 'utf8');
    const codes = [...source.matchAll(/^ {2}(\w+): \d{3},$/gm)].map(([, code]) => code as E2eeErrorCode);
    expect(codes.length).toBeGreaterThan(20);
    for (const code of codes) {
      const { status } = new E2eeError(code, '');
      expect(textOf('errors.md')).toContain(`| [\`${code}\`](#${code}) | ${status} |`);
      const entry = new RegExp(
        `^### ${code}\n\n- \\*\\*Status\\*\\* ${status}, .+\n- \\*\\*Cause\\.\\*\\* .+\n- \\*\\*Cure\\.\\*\\* .+$`,
        'm',
      );
      expect(textOf('errors.md')).toMatch(entry);
    }
    expect(
      anchorsOf(textOf('errors.md'))
        .filter((anchor) => anchor.includes('_'))
        .sort(),
    ).toEqual(codes.sort());
  });

  it('name every event', async () => {
    const source = await readFile(join(root, 'packages/core/src/exchange/events.ts'), 'utf8');
    const events = [...source.matchAll(/^ {2}(\w+): (?:true|false),$/gm)].map(([, event]) => event);
    expect(events.length).toBeGreaterThan(5);
    for (const event of events) expect(textOf('errors.md')).toContain(`| \`${event}\` |`);
  });

  it('name every member of a policy row, and every value of it', async () => {
    const schema = JSON.parse(await readFile(join(root, 'packages/core/schema/policy.json'), 'utf8'));
    const members = Object.entries<{ enum?: unknown[] }>(schema.$defs.row.properties);
    expect(members.length).toBeGreaterThan(4);
    for (const [member, { enum: values = [true, false] }] of members) {
      const row = new RegExp(`^\\| \`${member}\` \\|.*$`, 'm').exec(textOf('policy.md'))?.[0];
      for (const value of values)
        expect(row, member).toContain(typeof value === 'string' ? `'${value}'` : `\`${value}\``);
    }
  });

  it('name every member of a profile, and every algorithm', async () => {
    const source = await readFile(join(root, 'packages/core/src/profiles/profile.ts'), 'utf8');
    const [, declaration = ''] = /export interface Profile [^\n]*\n([\s\S]*?)^}/m.exec(source) ?? [];
    const members = [...declaration.matchAll(/readonly (\w+)\??:/g)].map(([, member]) => member);
    expect(members).toContain('perMessageKey');
    for (const member of members) expect(textOf('profiles.md')).toMatch(new RegExp(`\\b${member}\\b`));
    const types = await readFile(join(root, 'packages/core/src/jwe/algorithms.ts'), 'utf8');
    const names = [...types.matchAll(/^ {2}'?((?:RSA|ECDH|A\d{3}|dir)[\w+-]*)'?: /gm)].map(
      ([, name]) => name,
    );
    expect(names).toContain('A256GCM');
    for (const name of names) expect(textOf('profiles.md')).toContain(`\`${name}\``);
  });
});

describe('links', () => {
  it('of every Markdown file lead somewhere', () => {
    expect(brokenLinks(root)).toEqual([]);
  });

  it('are found in prose, and not in code', () => {
    expect(
      linksOf('[a](b.md) `[c](d)` ![e](f.png)\n\n[g]: h.md\n```\n[i](j)\n```\n<!--@include: k.md-->'),
    ).toEqual(['b.md', 'f.png', 'h.md', 'k.md']);
  });

  it.each([
    ['../packages/express/README.md#order', { page: 'policy.md' }, '/adapters/express.md#order'],
    ['../core#errors', { page: 'adapters/koa.md', source: 'packages/koa/README.md' }, '/core.md#errors'],
    ['../../docs/keys.md', { page: 'core.md', source: 'packages/core/README.md' }, '/keys.md'],
    ['../SECURITY.md', { page: 'index.md' }, '/security.md'],
    ['../concepts.md', { page: 'start/server.md' }, '/concepts.md'],
    ['#rows', { page: 'policy.md' }, '#rows'],
    ['../apps/connect', { page: 'threat-model.md' }, undefined],
  ])('to %s lead to a page of the site where it has one', (link, from, page) => {
    expect(siteLink(link, from, sources)).toBe(page);
  });
});

async function readPages(): Promise<readonly Page[]> {
  const names = await readdir(docs, { recursive: true });
  const own = names.filter(
    (name) =>
      name.endsWith('.md') &&
      !/node_modules|^reference|^examples|^benchmarks/.test(name) &&
      !OTHERS.test(name),
  );
  return Promise.all(
    own.map(async (name) => {
      const text = await readFile(join(docs, name), 'utf8');
      return { name, text, blocks: blocksOf(text) };
    }),
  );
}

function blocksOf(text: string): Page['blocks'] {
  return [...text.matchAll(/^```[tj]s (\S+)\n([\s\S]*?)^```$/gm)].map(([, name = '', code = '']) => ({
    name,
    code,
  }));
}

function textOf(page: string): string {
  return pages.find(({ name }) => name === page)?.text ?? '';
}

/** All parts of a file. */
function codeOf(page: string, file: string): string {
  const blocks = pages.find(({ name }) => name === page)?.blocks ?? [];
  return blocks
    .filter(({ name }) => name === file)
    .map(({ code }) => code)
    .join('');
}

function pathOf(page: string, file: string): string {
  return join(directory, page.replace('.md', ''), file);
}

async function writePage({ name, blocks }: Page): Promise<void> {
  for (const file of new Set(blocks.map((block) => block.name))) {
    if (file === 'not-run') continue;
    await mkdir(dirname(pathOf(name, file)), { recursive: true });
    await writeFile(pathOf(name, file), codeOf(name, file));
    if (file.endsWith('.mjs')) await writeFile(pathOf(name, file.replace('.mjs', '.ts')), codeOf(name, file));
  }
}

/** Runs a file where it stands, in this process, as a user would in theirs. */
// biome-ignore lint/suspicious/noExplicitAny: what a file exports, only the page says
async function load(page: string, file: string): Promise<any> {
  const before = process.cwd();
  process.chdir(dirname(pathOf(page, file)));
  try {
    return await import(pathToFileURL(pathOf(page, file)).href);
  } finally {
    process.chdir(before);
  }
}

/** Runs a file and resolves to what it prints. `hosts` stand for those that are not there. */
async function run(
  page: string,
  file: string,
  hosts: Readonly<Record<string, string>> = {},
): Promise<string> {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation(
    (...line) => void lines.push(formatWithOptions({ colors: false }, ...line)),
  );
  const replaced = Object.entries(hosts).reduce(
    (code, [host, url]) => code.replaceAll(host, url),
    codeOf(page, file),
  );
  if (Object.keys(hosts).length > 0) await writeFile(pathOf(page, file), replaced);
  await load(page, file);
  return lines.join('\n');
}

/** What the comments behind and below `console.log` say. */
function expectedOf(code: string): string[] {
  const behind = [...code.matchAll(/console\.log\(.*; \/\/ (.*)$/gm)].map(([, said = '']) => said);
  const below = [...code.matchAll(/console\.log\(.*\n(?:}\n)?((?:\/\/ .*\n)+)/g)];
  return [
    ...behind,
    ...below.flatMap(([, said = '']) =>
      said
        .trim()
        .split(/\n?^\/\/ /m)
        .slice(1),
    ),
  ];
}

async function listen(app: Express): Promise<string> {
  const listening = app.listen(0, '127.0.0.1');
  servers.push(listening);
  await new Promise((done) => listening.once('listening', done));
  return urlOf(listening);
}

function urlOf(listening: Server): string {
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`; // a TCP server has no other kind of address
}
