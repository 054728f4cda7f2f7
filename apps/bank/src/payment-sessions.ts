import { ApiError } from './api-error.js';
import type { Route } from './handler.js';
import { Store } from './store.js';
import { amount, type Body, currency, type Shape, text, validated } from './validation.js';

const SHAPE: Shape = {
  oneOf: ['payee', 'payer', 'mandate', 'mandate_id'],
  rules: { amount, currency, reference: text },
};

export function paymentSessionRoutes(): readonly Route[] {
  const sessions = new Store<Body>('ps');
  return [
    {
      method: 'post',
      path: '/payment_sessions',
      handle: ({ clientId, body }) => {
        const session = sessions.add(clientId, { ...validated(body, SHAPE), state: 'created' });
        return { status: 201, body: session };
      },
    },
    {
      method: 'get',
      path: '/payment_sessions',
      handle: ({ clientId }) => ({ status: 200, body: sessions.list(clientId).map(readable) }),
    },
    {
      method: 'get',
      path: '/payment_sessions/:id',
      handle: ({ clientId, params: { id = '' } }) => {
        const session = sessions.find(clientId, id);
        if (!session) {
          throw new ApiError(404, { code: 'not_found', source: 'id', title: 'no such payment session' });
        }
        return { status: 200, body: readable(session) };
      },
    },
  ];
}

/** A session as reading it shows it. The mandate is part of the answer to its creation only, as in the documentation. */
function readable<Session extends Body>(session: Session): Omit<Session, 'mandate' | 'mandate_id'> {
  const { mandate, mandate_id, ...rest } = session;
  return rest;
}
