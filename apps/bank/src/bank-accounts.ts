import type { Route } from './handler.js';
import { Store } from './store.js';
import { type Body, type Shape, text, validated } from './validation.js';

const SHAPE: Shape = {
  oneOf: ['account_number', 'account_identifier', 'sort_code', 'secondary_identifier', 'name'],
  rules: { name: text, account_number: text, sort_code: text, account_identifier: text },
};

export function bankAccountRoutes(): readonly Route[] {
  const accounts = new Store<Body>('ba');
  return [
    {
      method: 'post',
      path: '/bank_accounts',
      handle: ({ clientId, body }) => {
        const account = accounts.add(clientId, { ...validated(body, SHAPE), state: 'active' });
        return { status: 201, body: account };
      },
    },
  ];
}
