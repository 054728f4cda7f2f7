import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createKeyRing, importKey, type KeyRing } from '@e2ee/core';
import {
  type BankOptions,
  createBank,
  type HandledCall,
  listen,
  type PartnerRegistration,
} from '@e2ee-apps/bank';
import { type Recorder, startRecorder } from './capture.js';
import { type Account, createMerchant, type Install, installEncryption, type Merchant } from './merchant.js';
import type { Choice, KeyForm } from './report.js';

/** What tests change, to see that the checks can fail. */
export interface Overrides {
  readonly install?: Install;
  readonly encryption?: NonNullable<BankOptions['encryption']>;
}

/** A merchant, and what the bank knows of it. */
export interface Partner {
  readonly name: string;
  readonly choice: Choice;
  /** The form of the public key that it registered. */
  readonly keyForm?: KeyForm;
  /** The id of its key. */
  readonly kid?: string;
  readonly merchant: Merchant;
}

/** The bank, the merchants and the recorder between them, on loopback. */
export interface World {
  readonly bankKeys: KeyRing;
  readonly partners: Readonly<Record<Choice, Partner>>;
  readonly recorder: Recorder;
  /** The calls that the bank's handlers have dealt with since the last time. */
  takeHandled(): HandledCall[];
  close(): Promise<void>;
}

const CAST: Readonly<Record<Choice, { name: string; login: Account['login']; key?: KeyForm }>> = {
  redact: { name: 'corner-shop', login: 'Basic' },
  encrypt: { name: 'book-club', login: 'OAuth', key: 'SPKI' },
  message: { name: 'travel-agency', login: 'OAuth', key: 'PKCS#1' },
};
const PEM_TYPES = { SPKI: 'spki', 'PKCS#1': 'pkcs1' } as const satisfies Readonly<Record<KeyForm, string>>;

export async function startWorld({
  install = installEncryption,
  encryption,
}: Overrides = {}): Promise<World> {
  const bankKeys = await createKeyRing();
  const applications = { redact: apply('redact'), encrypt: apply('encrypt'), message: apply('message') };
  const handled: HandledCall[] = [];
  const app = await createBank({
    keyRing: bankKeys,
    partners: Object.values(applications).map(({ registration }) => registration),
    onHandled: (call) => handled.push(structuredClone(call)),
    ...(encryption && { encryption }),
  });
  const bank = await listen(app);
  const recorder = await startRecorder(bank.port);
  const open = (choice: Choice): Promise<Partner> => openFor(applications[choice], recorder.url, install);
  const partners = {
    redact: await open('redact'),
    encrypt: await open('encrypt'),
    message: await open('message'),
  };
  recorder.take();
  return {
    bankKeys,
    partners,
    recorder,
    takeHandled: () => handled.splice(0),
    close: async () => {
      await Promise.all([recorder.close(), bank.close()]);
    },
  };
}

/** What a merchant prepares before its first call: the private key stays with it. */
interface Application {
  readonly registration: PartnerRegistration;
  readonly privateKey?: string;
}

function apply(choice: Choice): Application {
  const { name, key } = CAST[choice];
  const clientSecret = randomBytes(24).toString('base64url');
  const registration = { clientId: name, clientSecret, response: choice };
  if (key === undefined) return { registration };
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    registration: {
      ...registration,
      publicKey: publicKey.export({ type: PEM_TYPES[key], format: 'pem' }).toString(),
    },
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

async function openFor(application: Application, bankUrl: string, install: Install): Promise<Partner> {
  const { clientId, clientSecret, response: choice } = application.registration;
  const { login, key } = CAST[choice];
  const own = application.privateKey === undefined ? undefined : await importKey(application.privateKey);
  const keyRing = own && (await createKeyRing({ keys: own }));
  const merchant = await createMerchant(bankUrl, { clientId, clientSecret, login }, keyRing, install);
  return {
    name: clientId,
    choice,
    merchant,
    ...(key && { keyForm: key }),
    ...(own && { kid: own.kid }),
  };
}
