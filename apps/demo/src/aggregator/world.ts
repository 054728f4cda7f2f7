import { e2ee } from '@e2ee/axios-interceptor';
import { createKeyRing, type KeyRing, powens, remoteJwks } from '@e2ee/core';
import { type AggregatorOptions, createAggregator, type HandledCall } from '@e2ee-apps/aggregator';
import { listen } from '@e2ee-apps/bank';
import axios, { type AxiosInstance } from 'axios';
import { type Recorder, startRecorder } from '../capture.js';
import { createIntermediate, type Passed } from './intermediate.js';

/** Installs encryption in the user interface. Tests put something else here, to see the checks fail. */
export type Install = (api: AxiosInstance, aggregatorUrl: string) => void;

/** What tests change. */
export interface Overrides {
  readonly install?: Install;
  readonly encryption?: NonNullable<AggregatorOptions['encryption']>;
}

/** The user interface, the intermediate server and the aggregator, with a recorder before each of the two servers. */
export interface World {
  readonly keyRing: KeyRing;
  /** The user interface. It reaches the intermediate server only, but for the public key. */
  readonly api: AxiosInstance;
  /** Before the intermediate server, and between it and the aggregator. */
  readonly recorders: readonly [Recorder, Recorder];
  /** What the intermediate server has logged, and what the aggregator's handlers have dealt with, since the last time. */
  takePassed(): Passed[];
  takeHandled(): HandledCall[];
  close(): Promise<void>;
}

/** The one line that a user interface adds. */
const installEncryption: Install = (api, aggregatorUrl) => {
  e2ee(api, { profile: powens, encryptionKeys: remoteJwks(`${aggregatorUrl}${powens.publication.path}`) });
};

export async function startWorld({
  install = installEncryption,
  encryption,
}: Overrides = {}): Promise<World> {
  const keyRing = await createKeyRing();
  const handled: HandledCall[] = [];
  const passed: Passed[] = [];
  const app = createAggregator({
    keyRing,
    onHandled: (call) => handled.push(structuredClone(call)),
    ...(encryption && { encryption }),
  });
  const aggregator = await listen(app.callback());
  const behind = await startRecorder(aggregator.port);
  const { data: user } = await axios.post(`${aggregator.url}/auth/init`, undefined, { proxy: false });
  const forward = createIntermediate({
    target: behind.url,
    token: user.auth_token,
    log: (one) => passed.push(one),
  });
  const intermediate = await listen(forward.callback());
  const before = await startRecorder(intermediate.port);
  const api = axios.create({ baseURL: before.url, proxy: false, validateStatus: () => true });
  install(api, aggregator.url);
  return {
    keyRing,
    api,
    recorders: [before, behind],
    takePassed: () => passed.splice(0),
    takeHandled: () => handled.splice(0),
    close: async () => {
      await Promise.all([before, intermediate, behind, aggregator].map((server) => server.close()));
    },
  };
}
