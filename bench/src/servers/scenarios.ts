/** What a server is asked to do. */
export interface Scenario {
  readonly name: string;
  readonly path: string;
  /** How many fields are encrypted; 0 where nothing is. */
  readonly fields: number;
  readonly contentType: string;
  /** Whether the middleware is there at all. */
  readonly middleware: boolean;
}

const JSON_TYPE = { contentType: 'application/json' } as const;

export const SCENARIOS: readonly Scenario[] = [
  { name: 'no middleware', path: '/plain', fields: 0, middleware: false, ...JSON_TYPE },
  { name: 'uncovered route', path: '/plain', fields: 0, middleware: true, ...JSON_TYPE },
  { name: '1 field', path: '/fields/1', fields: 1, middleware: true, ...JSON_TYPE },
  { name: '8 fields', path: '/fields/8', fields: 8, middleware: true, ...JSON_TYPE },
  { name: 'whole message', path: '/message', fields: 1, middleware: true, contentType: 'application/jose' },
];

export const PATHS: readonly string[] = [...new Set(SCENARIOS.map(({ path }) => path))];

/** What every handler answers. */
export const ANSWER = { id: 'ord_0123456789', status: 'accepted', received_at: '2024-01-01T00:00:00Z' };
