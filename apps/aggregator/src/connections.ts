import { ApiError } from './api-error.js';
import { confirmAll } from './confirmation.js';
import { type Connector, connectorBy, credentialsOf, signIn } from './connectors.js';
import { type Call, membersOf, type Route } from './handler.js';
import { Store } from './store.js';

interface Connection {
  readonly userId: number;
  readonly connector: Connector;
  /** What it takes to sign in; kept here, shown to nobody. */
  readonly credentials: ReadonlyMap<string, string>;
  /** Whether it has what the bank asks for once it knows who signs in. */
  readonly isComplete: boolean;
}

/** Members of a connection that are no credentials. */
const OWN_MEMBERS = ['id_connector', 'connector_uuid', 'active', 'expire', 'resume', 'background'];

export function connectionRoutes(): readonly Route[] {
  const connections = new Store<Connection>();

  function find({ params, userId }: Call): Connection {
    const found = connections.find(params.connection ?? '', userId);
    if (found) return found;
    throw new ApiError(404, { code: 'notFound', description: 'There is no such connection' });
  }

  /** Takes the transient fields of a bank that has asked for them, or new credentials. */
  function update(call: Call): Connection {
    const before = find(call);
    const members = credentialMembers(call.body);
    const { connector, isComplete } = before;
    if (!isComplete) {
      signIn(connector, credentialsOf(members, connector.transient)); // and forgotten
      return { ...before, isComplete: true };
    }
    const changed = connector.fields.map((field) => ({ ...field, required: false }));
    const credentials = new Map([...before.credentials, ...credentialsOf(members, changed)]);
    signIn(connector, credentials);
    return { ...before, credentials };
  }

  function handleUpdate(call: Call): ReturnType<Route['handle']> {
    const id = call.params.connection ?? '';
    const connection = update(call);
    connections.replace(id, connection);
    return { status: 200, body: view(Number(id), connection) };
  }

  return [
    {
      method: 'post',
      path: '/users/me/connections',
      handle: ({ userId, body }) => {
        const connector = connectorOf(membersOf(body));
        const credentials = credentialsOf(credentialMembers(body), connector.fields);
        signIn(connector, credentials);
        const connection = { userId, connector, credentials, isComplete: connector.transient.length === 0 };
        return { status: 201, body: view(connections.add(connection), connection) };
      },
    },
    {
      method: 'get',
      path: '/users/me/connections/:connection',
      handle: (call) => ({ status: 200, body: view(Number(call.params.connection), find(call)) }),
    },
    { method: 'post', path: '/users/me/connections/:connection', handle: handleUpdate },
    { method: 'put', path: '/users/me/connections/:connection', handle: handleUpdate },
  ];
}

function connectorOf({ id_connector, connector_uuid }: Readonly<Record<string, unknown>>): Connector {
  const connector = connectorBy(({ id, uuid }) => id === id_connector || uuid === connector_uuid);
  if (connector) return connector;
  const field = connector_uuid === undefined ? 'id_connector' : 'connector_uuid';
  throw new ApiError(400, { code: 'invalidValue', description: `${field} names no connector`, field });
}

function credentialMembers(body: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(membersOf(body)).filter(([name]) => !OWN_MEMBERS.includes(name)));
}

function view(id: number, { connector, credentials, isComplete }: Connection): object {
  return {
    id,
    id_connector: connector.id,
    state: isComplete ? null : 'additionalInformationNeeded',
    ...(!isComplete && { fields: connector.transient }),
    credentials: confirmAll(credentials),
  };
}
