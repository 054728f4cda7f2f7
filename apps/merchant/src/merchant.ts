import { banked, type Profile } from '@e2ee/core';
import { E2eeModule } from '@e2ee/nest';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Bank } from './bank.js';
import { Checkouts } from './checkouts.js';
import { MERCHANT_OPTIONS, type MerchantOptions } from './options.js';
import { Shop } from './shop.js';

/** The conventions between the shop and its own front end: those of the bank, with no policy but the one at the handlers. */
export const shopProfile: Profile = { ...banked, name: 'shop', policy: {} };

@Module({})
class MerchantModule {}

function moduleOf(options: MerchantOptions): DynamicModule {
  const { keyRing, encryption } = options;
  return {
    module: MerchantModule,
    imports: [E2eeModule.forRoot({ profile: shopProfile, keyRing, ...encryption })],
    controllers: [Checkouts, Shop],
    providers: [Bank, { provide: MERCHANT_OPTIONS, useValue: options }],
  };
}

/** The shop's API. It has to be started: `app.listen(port, '127.0.0.1')`. */
export function createMerchant(options: MerchantOptions): Promise<NestFastifyApplication> {
  const { isSilent = false } = options;
  return NestFactory.create<NestFastifyApplication>(moduleOf(options), new FastifyAdapter(), {
    abortOnError: false,
    logger: isSilent ? false : ['error', 'warn'],
  });
}
