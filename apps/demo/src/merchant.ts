import { e2ee } from '@e2ee/axios-interceptor';
import { banked, E2eeError, type KeyRing, type Profile, remoteJwks } from '@e2ee/core';
import axios, { type AxiosInstance, isAxiosError } from 'axios';
import { DemoError } from './demo-error.js';

export interface Account {
  readonly clientId: string;
  readonly clientSecret: string;
  /** How it proves who it is. */
  readonly login: 'OAuth' | 'Basic';
}

export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

/** A merchant's code: it works with plain values. */
export interface Merchant {
  call(method: 'GET' | 'POST', path: string, body?: object): Promise<Answered>;
}

/** Installs encryption on the merchant's axios instance. Tests put something else here, to see the checks fail. */
export type Install = (api: AxiosInstance, bankUrl: string, keyRing: KeyRing | undefined) => void;

const PROFILE: Profile = banked;

/** The one line that a merchant adds. */
export const installEncryption: Install = (api, bankUrl, keyRing) => {
  const encryptionKeys = remoteJwks(`${bankUrl}${PROFILE.publication.path}`);
  e2ee(api, { profile: PROFILE, encryptionKeys, ...(keyRing && { keyRing }) });
};

/** Logs a merchant in at the bank. */
export async function createMerchant(
  bankUrl: string,
  account: Account,
  keyRing: KeyRing | undefined,
  install: Install,
): Promise<Merchant> {
  const authorization = await authorize(bankUrl, account);
  const api = axios.create({ baseURL: bankUrl, headers: { authorization }, proxy: false });
  install(api, bankUrl, keyRing);
  return {
    async call(method, path, body): Promise<Answered> {
      try {
        const { status, data } = await api.request<unknown>({ method, url: path, data: body });
        return { status, body: data };
      } catch (error) {
        return answerOf(error);
      }
    },
  };
}

async function authorize(bankUrl: string, account: Account): Promise<string> {
  const { clientId, clientSecret, login } = account;
  if (login === 'Basic') return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  const auth = { username: clientId, password: clientSecret };
  const { data } = await axios.post<{ access_token: string }>(`${bankUrl}/oauth/token`, form, {
    auth,
    proxy: false,
  });
  return `Bearer ${data.access_token}`;
}

/** A refusal by the bank is an answer like any other; what was never sent is for the person to put right. */
function answerOf(error: unknown): Answered {
  if (isAxiosError(error) && error.response) {
    return { status: error.response.status, body: error.response.data };
  }
  const cause = e2eeErrorIn(error);
  if (cause && cause.status < 500) throw new DemoError(`The payload cannot be sent: ${cause.message}`);
  throw error;
}

function e2eeErrorIn(error: unknown): E2eeError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof E2eeError) return at;
  return undefined;
}
