/** An object whose JSON has 70 bytes. */
export const PAYEE = { name: 'Johann Doe', account_number: '01234567', sort_code: '012345' };

/** A list of transactions, as APIs return them, whose JSON has about so many bytes. */
export function payloadOf(bytes: number): unknown {
  if (bytes < 70) return { pan: '5555444433' };
  if (bytes === 70) return PAYEE;
  const entry = {
    id: 'txn_0123456789',
    amount: 1234.5,
    currency: 'EUR',
    description: 'Coffee and a “croissant”',
  };
  const size = Buffer.byteLength(JSON.stringify(entry)) + 1;
  return Array.from({ length: Math.max(1, Math.round(bytes / size)) }, () => entry);
}

export function labelOf(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${bytes / 1_000} kB` : `${bytes / 1_000_000} MB`;
}
