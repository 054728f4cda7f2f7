import { ApiError } from './api-error.js';

/** A value that a bank asks its customers for. */
export interface ConnectorField {
  readonly name: string;
  readonly label: string;
  readonly type: 'text' | 'password' | 'list';
  /** What a value looks like as a whole; anything will do where there is none. */
  readonly regex?: string;
  readonly required: boolean;
  /** What may be chosen of a list. */
  readonly values?: readonly { readonly label: string; readonly value: string }[];
}

/** How to sign in to a bank. */
export interface Connector {
  readonly id: number;
  readonly uuid: string;
  readonly name: string;
  readonly fields: readonly ConnectorField[];
  /** What it asks for once it knows who signs in. */
  readonly transient: readonly ConnectorField[];
  /** Values that this bank, which there is not, takes for wrong ones. */
  readonly wrong: Readonly<Record<string, string>>;
}

const OTP: ConnectorField = {
  name: 'otp',
  label: 'Code from the text message',
  type: 'text',
  regex: '\\d{6}',
  required: true,
};

export const CONNECTORS: readonly Connector[] = [
  {
    id: 59,
    uuid: '338178e6-3d01-564f-9a7b-52ca442459bf',
    name: 'Connecteur de test',
    fields: [
      { name: 'login', label: 'Identifier', type: 'text', required: true },
      { name: 'password', label: 'Password', type: 'password', required: true },
      { name: 'birthday', label: 'Birthday', type: 'text', regex: '\\d{2}/\\d{2}/\\d{4}', required: false },
    ],
    transient: [],
    wrong: { password: 'wrong-password' },
  },
  {
    id: 33,
    uuid: '5e3a9c1c-7d4b-5a0e-8f43-0c7a3a3ddc1a',
    name: 'Banque de Bretagne',
    fields: [
      {
        name: 'website',
        label: 'Kind of account',
        type: 'list',
        required: true,
        values: [
          { label: 'Private', value: 'par' },
          { label: 'Business', value: 'pro' },
        ],
      },
      { name: 'login', label: 'Customer number', type: 'text', regex: '\\d{8,11}', required: true },
      { name: 'code', label: 'Personal code', type: 'password', regex: '\\d{4}', required: true },
    ],
    transient: [OTP],
    wrong: { code: '0000', otp: '000000' },
  },
];

/** What of a connector is for everybody to read. */
export function describeConnector({ id, uuid, name, fields }: Connector): object {
  return { id, uuid, name, fields };
}

export function connectorBy(match: (connector: Connector) => boolean): Connector | undefined {
  return CONNECTORS.find(match);
}

/** Throws an {@link ApiError} when the bank does not let its customer in with these. It does not say which one is wrong. */
export function signIn({ wrong }: Connector, credentials: ReadonlyMap<string, string>): void {
  const isRefused = Object.entries(wrong).some(([name, value]) => credentials.get(name) === value);
  if (isRefused)
    throw new ApiError(400, { code: 'wrongpass', description: 'The bank refuses these credentials' });
}

/** The values of `fields`, out of members that may be anything. Throws an {@link ApiError} that names the field. */
export function credentialsOf(
  members: Readonly<Record<string, unknown>>,
  fields: readonly ConnectorField[],
): Map<string, string> {
  const unknown = Object.keys(members).find((name) => !fields.some((field) => field.name === name));
  if (unknown !== undefined) refuse('unknownField', unknown, 'is not a field of this connector');
  const credentials = new Map<string, string>();
  for (const field of fields) {
    const value = members[field.name];
    if (value === undefined && !field.required) continue;
    if (value === undefined) refuse('missingField', field.name, 'is required');
    if (typeof value !== 'string' || !fits(value, field))
      refuse('invalidValue', field.name, 'does not have the format of this field');
    credentials.set(field.name, value);
  }
  return credentials;
}

function fits(value: string, { regex, values }: ConnectorField): boolean {
  if (values && !values.some((choice) => choice.value === value)) return false;
  return regex === undefined || new RegExp(`^(?:${regex})$`).test(value);
}

function refuse(code: string, field: string, description: string): never {
  throw new ApiError(400, { code, description: `${field} ${description}`, field });
}
