import type { Random } from './random.js';

/* JSON bodies whose structure is hostile. `LURE` is what stands in plain where a token is due. */

export const LURE = { name: 'lure', account_number: '00000000' };

type Body = Record<string, unknown>;
type Break = (body: Body, random: Random) => string;

const DEEP = 50_000;
const NAMES = [
  'payee',
  'mandate_id',
  'source',
  'account_number',
  'actions',
  'encrypted_payee',
  'encrypted_source',
  'encrypted_account_number',
  'encrypted_mandate_id',
];
const VALUES: readonly string[] = [
  'null',
  'true',
  '0',
  '-0',
  '1e999',
  '12345678901234567890',
  '""',
  '"lure"',
  '[]',
  '{}',
  '[[]]',
  '{"length":1,"0":{"source":"lure"}}',
  '"\\ud800"',
  '"\\u0000"',
  '"eyJ"',
  '"eyJ.a.b.c.d"',
  '"...."',
  '[null]',
  '[[{"source":"lure"}]]',
  '{"toJSON":"x"}',
  '{"then":"x"}',
];

/** Adds members as text, so that they may come twice. */
const adding =
  (members: (body: Body, random: Random) => string): Break =>
  (body, random) => {
    const [json, more] = [JSON.stringify(body), members(body, random)];
    const isFirst = random.chance(0.5);
    if (json === '{}') return `{${more}}`;
    return isFirst ? `{${more},${json.slice(1)}` : `${json.slice(0, -1)},${more}}`;
  };

const BREAKS: readonly Break[] = [
  (body, random) => JSON.stringify({ ...body, [random.pick(NAMES)]: LURE }),
  (body, random) => JSON.stringify({ ...plain(body), [random.pick(NAMES)]: LURE }),
  (body) => JSON.stringify(plain(body)),
  adding((_, random) => `"${random.pick(NAMES)}":${random.pick(VALUES)}`),
  adding((_, random) => `"${random.pick(NAMES)}":${JSON.stringify(LURE)}`),
  adding((_, random) => `"${escaped(random.pick(NAMES), random)}":${JSON.stringify(LURE)}`),
  adding((body, random) => `"${random.pick([...Object.keys(body), 'x'])}":${random.pick(VALUES)}`),
  adding(() => `"__proto__":{"payee":${JSON.stringify(LURE)},"polluted":true}`),
  adding(() => `"constructor":{"prototype":{"polluted":true}}`),
  adding(() => `"__proto__":${'{"__proto__":'.repeat(30)}{"polluted":true}${'}'.repeat(30)}`),
  adding((_, random) => `"deep":${'['.repeat(DEEP >> random.below(12))}1`),
  adding((_, random) => deep('"deep":', '[', ']', DEEP >> random.below(12))),
  adding((_, random) => deep('"actions":', '{"a":', '}', DEEP >> random.below(12))),
  adding((_, random) => `"big":"${'x'.repeat(random.pick([10_000, 95_000, 110_000, 300_000]))}"`),
  adding(
    (_, random) =>
      `"${random.pick(['Payee', 'payee ', 'payee.name', '', 'encrypted_', 'encrypted_encrypted_payee', 'ENCRYPTED_payee', 'p\u0430yee', '#', '*', '$', 'length', 'toString', 'hasOwnProperty'])}":${JSON.stringify(LURE)}`,
  ),
  adding(
    (_, random) =>
      `"actions":[${Array.from({ length: random.pick([63, 64, 65, 999, 1001, 3000]) }, () => '{"source":"eyJ.a.b.c.d"}')}]`,
  ),
  (body) => JSON.stringify([body]),
  (body) => JSON.stringify({ body }),
  (body) => JSON.stringify({ ...body, actions: { 0: { source: LURE } } }),
  (body) => JSON.stringify({ ...body, actions: [[{ source: LURE }], { source: LURE }, null, 5] }),
  (body) =>
    JSON.stringify(body).replaceAll(
      /"(\w+)":/g,
      (_, name: string) => `"\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}":`,
    ),
  (body) => JSON.stringify(body, null, 7),
  (body, random) => JSON.stringify(body) + random.pick(['x', ' ', '\0', '{}', ',', ']', '\ufeff', '//']),
  (body, random) => random.pick(['\ufeff', ' ', '\0', '/**/', '[', ")]}',\n"]) + JSON.stringify(body),
  (body) => JSON.stringify(body).replaceAll('"', "'"),
  (body, random) => JSON.stringify(body).slice(0, random.below(900)),
  (_, random) =>
    random.pick([
      'null',
      'true',
      '5',
      '"x"',
      '[]',
      '{}',
      '',
      ' ',
      '[[[[]]]]',
      'NaN',
      'undefined',
      '"eyJ.a.b.c.d"',
      '-',
      '{"a":}',
    ]),
  (_, random) => random.bytes(random.below(200)).toString('latin1'),
];

/** The text of a body, broken in some way; `body` is good. */
export function brokenJson(body: unknown, random: Random): string {
  const members = typeof body === 'object' && body !== null ? (body as Body) : { value: body };
  return random.pick(BREAKS)(members, random);
}

/** A body without a token: in the clear what should be encrypted. */
export function lureBody(operation: string): string {
  if (operation.endsWith('messages')) return JSON.stringify(LURE);
  const text = LURE.account_number;
  return JSON.stringify({
    payee: LURE,
    mandate_id: text,
    source: LURE,
    account_number: text,
    actions: [{ source: LURE }],
  });
}

/** What a body would be that nobody has encrypted. */
function plain(body: Body): Body {
  const entries = Object.entries(body).map(([name, value]) => [
    name.replace('encrypted_', ''),
    typeof value === 'string' && value.startsWith('eyJ') ? LURE : value,
  ]);
  return Object.fromEntries(entries) as Body;
}

function deep(before: string, open: string, close: string, depth: number): string {
  return `${before}${open.repeat(depth)}1${close.repeat(depth)}`;
}

function escaped(name: string, random: Random): string {
  const at = random.below(name.length);
  return `${name.slice(0, at)}\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}${name.slice(at + 1)}`;
}
