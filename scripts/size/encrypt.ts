/* What encrypting takes: a policy, the keys that a provider publishes, JWEs. */
import { definePolicy, encryptJwe, remoteJwks } from '@e2ee/core';

Object.assign(globalThis, { definePolicy, encryptJwe, remoteJwks });
