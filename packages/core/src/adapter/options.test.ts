import { describe, expect, it } from 'vitest';
import { redactingServer } from '../../test/redacting-server.js';
import { createKeyRing } from '../keys/key-ring.js';
import { banked } from '../profiles/banked.js';
import { resolveServer } from './options.js';

const keyRing = await createKeyRing();

describe('the options of an adapter', () => {
  it('may be a server end made beforehand, which is used as it is', () => {
    const server = redactingServer();
    expect(resolveServer(server)).toEqual({ server });
    expect(resolveServer(server).server).toBe(server);
  });

  it('make a server end that never asks for the recipient by itself, and covers responses as if it did', () => {
    const recipient = (_: { framework: string }): never => expect.unreachable();
    const policy = { 'POST /a': { x: { response: 'none' as const } } };
    const made = resolveServer<{ framework: string }>({ profile: banked, keyRing, policy, recipient });
    expect(made.recipient).toBe(recipient);
    expect(made.server.covers({ method: 'POST', path: '/a' }).response).toBe(true);
    const without = resolveServer({ profile: banked, keyRing, policy });
    expect(without.recipient).toBe(undefined);
    expect(without.server.covers({ method: 'POST', path: '/a' }).response).toBe(false);
  });

  it('are refused as the server end refuses them', () => {
    for (const options of [
      undefined,
      null,
      {},
      { profile: banked },
      { profile: banked, keyRing, recipient: 'x' },
    ])
      expect(() => resolveServer(options as never)).toThrow(
        expect.objectContaining({ code: 'option_invalid' }),
      );
  });
});
