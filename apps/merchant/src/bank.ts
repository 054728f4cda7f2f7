import { e2ee } from '@e2ee/axios-interceptor';
import { banked, type RemoteJwks, remoteJwks } from '@e2ee/core';
import { BadGatewayException, Inject, Injectable } from '@nestjs/common';
import axios, { type AxiosInstance } from 'axios';
import type { CardHolder } from './checkout.js';
import { type BankAccount, MERCHANT_OPTIONS, type MerchantOptions } from './options.js';

export interface Payment {
  readonly amount: number;
  readonly currency: string;
  readonly reference: string;
  readonly payer: CardHolder;
}

/** The bank that payments go through. What is secret in them is encrypted once more, to the bank. */
@Injectable()
export class Bank {
  /** The bank's published keys. */
  readonly keys: RemoteJwks;
  readonly #api: AxiosInstance;
  readonly #account: BankAccount;

  constructor(@Inject(MERCHANT_OPTIONS) { bank }: MerchantOptions) {
    const { url, clientId, clientSecret, account } = bank;
    const auth = { username: clientId, password: clientSecret };
    this.#account = account;
    this.#api = axios.create({ baseURL: url, auth, proxy: false });
    this.keys = remoteJwks(new URL(banked.publication.path, url));
    e2ee(this.#api, { profile: banked, encryptionKeys: this.keys });
  }

  /** Resolves to the bank's number for the payment. What goes wrong there is not the customer's business. */
  async pay(payment: Payment): Promise<string> {
    try {
      const body = { ...payment, payee: this.#account };
      const { data } = await this.#api.post<{ id: string }>('/v2/payment_sessions', body);
      return data.id;
    } catch {
      throw new BadGatewayException('The payment could not be made');
    }
  }
}
