import { e2ee } from '@e2ee/axios-interceptor';
import { createKeyRing, type KeyRing, remoteJwks } from '@e2ee/core';
import { createBank, type HandledCall, listen } from '@e2ee-apps/bank';
import { createMerchant, type HandledCheckout, type MerchantOptions, shopProfile } from '@e2ee-apps/merchant';
import axios, { type AxiosInstance } from 'axios';
import { type Recorder, startRecorder } from '../capture.js';

/** Installs encryption in the shop's front end. Tests put something else here, to see the checks fail. */
export type Install = (api: AxiosInstance, shopUrl: string) => void;

/** What tests change. */
export interface Overrides {
  readonly install?: Install;
  readonly encryption?: NonNullable<MerchantOptions['encryption']>;
}

/** The front end, the shop and the bank, with a recorder before each of the two servers. */
export interface World {
  readonly shopKeys: KeyRing;
  readonly bankKeys: KeyRing;
  /** The front end. */
  readonly api: AxiosInstance;
  /** Between the front end and the shop, and between the shop and the bank. */
  readonly recorders: readonly [Recorder, Recorder];
  /** What the handlers of the shop and of the bank have dealt with since the last time. */
  takeCheckouts(): HandledCheckout[];
  takePayments(): HandledCall[];
  close(): Promise<void>;
}

/** The shop's account at the bank. */
export const ACCOUNT = { name: 'Leaf & Pot Ltd', account_number: '31510604', sort_code: '400530' } as const;

/** The one line that the front end adds. */
const installEncryption: Install = (api, shopUrl) => {
  const policy = { 'POST /checkouts': { card_holder: { request: 'encrypt', response: 'redact' } } } as const;
  const encryptionKeys = remoteJwks(`${shopUrl}${shopProfile.publication.path}`);
  e2ee(api, { profile: shopProfile, policy, encryptionKeys });
};

export async function startWorld({
  install = installEncryption,
  encryption,
}: Overrides = {}): Promise<World> {
  const [shopKeys, bankKeys] = await Promise.all([createKeyRing(), createKeyRing()]);
  const payments: HandledCall[] = [];
  const checkouts: HandledCheckout[] = [];
  const login = { clientId: 'leaf-and-pot', clientSecret: crypto.randomUUID() };
  const app = await createBank({
    keyRing: bankKeys,
    partners: [{ ...login, response: 'redact' }],
    onHandled: (call) => payments.push(structuredClone(call)),
  });
  const bank = await listen(app);
  const behind = await startRecorder(bank.port);
  const shop = await createMerchant({
    keyRing: shopKeys,
    bank: { ...login, url: behind.url, account: ACCOUNT },
    isSilent: true,
    onHandled: (call) => checkouts.push(structuredClone(call)),
    ...(encryption && { encryption }),
  });
  await shop.listen(0, '127.0.0.1');
  const shopUrl = await shop.getUrl();
  const before = await startRecorder(Number(new URL(shopUrl).port));
  const api = axios.create({ baseURL: before.url, proxy: false, validateStatus: () => true });
  install(api, shopUrl);
  return {
    shopKeys,
    bankKeys,
    api,
    recorders: [before, behind],
    takeCheckouts: () => checkouts.splice(0),
    takePayments: () => payments.splice(0),
    close: async () => {
      await Promise.all([before, shop, behind, bank].map((server) => server.close()));
    },
  };
}
