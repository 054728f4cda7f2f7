import type { Route } from './handler.js';
import { Store } from './store.js';
import { type Body, list, type Shape, text, validated } from './validation.js';

const SHAPE: Shape = {
  oneOf: ['source', 'destination', 'actions'],
  rules: { actions: list, reference: text },
};

export function mandateRoutes(): readonly Route[] {
  const mandates = new Store<Body>('mnd');
  return [
    {
      method: 'post',
      path: '/mandates',
      handle: ({ clientId, body }) => {
        const mandate = mandates.add(clientId, {
          ...validated(body, SHAPE),
          state: 'awaiting_authorization',
        });
        return { status: 201, body: mandate };
      },
    },
  ];
}
