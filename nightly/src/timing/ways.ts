import { createE2eeServer, createKeyRing, decryptJwe, E2eeError, type PolicyDocument } from '@e2ee/core';
import { NOT_JSON } from './classes.js';
import type { FailureClass, FailureClass as Kind } from './failure-class.js';
import type { TimedSubject } from './subjects.js';

/** A way to a private key, from a token to the answer. Resolves to what became of the token. */
export interface Way {
  readonly name: string;
  readonly take: (token: string) => Promise<Kind['expected']>;
  /** What must become of the tokens of a class. */
  readonly expected: (kind: Kind) => Kind['expected'];
}

const policy: PolicyDocument = { 'POST /payments': { payee: { request: 'encrypt' } } };

export async function waysOf({ key, profile }: TimedSubject): Promise<readonly Way[]> {
  if (key.kind !== 'decryption') throw new Error('The key must be a private one');
  const keyRing = await createKeyRing({ keys: key });
  const server = createE2eeServer({ profile, policy, keyRing, onEvent: () => {} });
  const request = { method: 'POST', path: '/payments', headers: { 'content-type': 'application/json' } };
  return [
    {
      name: 'decryptJwe',
      take: (token) => outcome(decryptJwe(token, keyRing, { algs: profile.accept.alg })),
      expected: ({ expected }) => expected,
    },
    {
      name: 'decryptRequest',
      take: (token) =>
        outcome(server.decryptRequest({ ...request, body: { encrypted_payee: token } }), (error) => {
          server.errorResponse(error);
        }),
      expected: ({ name, expected }) => (name === NOT_JSON ? 'token_invalid' : expected),
    },
  ];
}

async function outcome(
  work: Promise<unknown>,
  answer: (error: E2eeError) => void = () => {},
): Promise<FailureClass['expected']> {
  try {
    await work;
    return 'opens';
  } catch (error) {
    if (!(error instanceof E2eeError)) throw error;
    answer(error);
    return error.code;
  }
}
