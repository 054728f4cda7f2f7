import { ApiError } from './api-error.js';
import { confirmAll } from './confirmation.js';
import { type ConnectorField, credentialsOf } from './connectors.js';
import { type Call, membersOf, type Route } from './handler.js';
import { Store } from './store.js';

interface Transfer {
  readonly userId: number;
  readonly amount: number;
  readonly label: string;
  readonly state: 'validating' | 'done';
}

/** What the bank asks for before it pays. */
const FIELDS: readonly ConnectorField[] = [
  { name: 'otp', label: 'Code from the text message', type: 'text', regex: '\\d{6}', required: true },
  { name: 'transfer_pin', label: 'Transfer code', type: 'password', required: false },
];

export function transferRoutes(): readonly Route[] {
  const transfers = new Store<Transfer>();

  function validate(call: Call): ReturnType<Route['handle']> {
    const id = call.params.transfer ?? '';
    const transfer = transfers.find(id, call.userId);
    if (!transfer) throw new ApiError(404, { code: 'notFound', description: 'There is no such transfer' });
    const { fields, validated } = membersOf(call.body);
    if (validated !== true) refuse('validated', 'must be true');
    const credentials = credentialsOf(membersOf(fields ?? {}), FIELDS);
    const done = { ...transfer, state: 'done' } as const;
    transfers.replace(id, done);
    return { status: 200, body: { ...view(Number(id), done), credentials: confirmAll(credentials) } };
  }

  return [
    {
      method: 'post',
      path: '/users/me/transfers',
      handle: ({ userId, body }) => {
        const { amount, label = '' } = membersOf(body);
        if (typeof amount !== 'number' || !(amount > 0)) refuse('amount', 'must be a number above 0');
        if (typeof label !== 'string') refuse('label', 'must be a text');
        const transfer: Transfer = { userId, amount, label, state: 'validating' };
        return { status: 201, body: { ...view(transfers.add(transfer), transfer), fields: FIELDS } };
      },
    },
    { method: 'post', path: '/users/me/transfers/:transfer', handle: validate },
    { method: 'put', path: '/users/me/transfers/:transfer', handle: validate },
  ];
}

function view(id: number, { amount, label, state }: Transfer): object {
  return { id, amount, label, state };
}

function refuse(field: string, description: string): never {
  throw new ApiError(400, { code: 'invalidValue', description: `${field} ${description}`, field });
}
