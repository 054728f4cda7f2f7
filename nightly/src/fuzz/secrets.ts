import { createHmac } from 'node:crypto';
import type { Random } from './random.js';

/** Begins every value that travels encrypted, and nothing else: must never be seen in the clear. */
export const CANARY = 'CANARY-7d1e0c55a9';

const PROVEN = new RegExp(`${CANARY}\\.(\\d+)\\.([\\w-]{22})`);

/** A text that proves that whoever drives the fuzzing has made, and encrypted, it. */
export function secretText(random: Random): string {
  const id = String(random.below(1e9));
  return `${CANARY}.${id}.${proofOf(id)}`;
}

/** Whether a value, or anything in it, proves where it came from. */
export function isProven(value: unknown): boolean {
  const [, id, proof] = PROVEN.exec(JSON.stringify(value) ?? '') ?? [];
  return id !== undefined && proof === proofOf(id);
}

function proofOf(id: string): string {
  return createHmac('sha256', 'nightly').update(id).digest('base64url').slice(0, 22);
}
