import axios from 'axios';
import { type Bank, readBanks } from './bank.js';
import { isOnline } from './credentials.js';
import { type Failure, failureOf } from './failure.js';

/** As long as for sending: a server, or a browser that has no connection to spare, may leave a page without an answer. */
const TIMEOUT = 15_000;

/** Fetches the banks from the page's own server, or finds out why it cannot. */
export async function loadBanks(
  apiUrl: string,
  timeout: number = TIMEOUT,
): Promise<readonly Bank[] | Failure> {
  try {
    const { data } = await axios.get(`${apiUrl}/connectors`, { timeout, proxy: false }); // Node's
    return readBanks(data);
  } catch (error) {
    return failureOf(error, { isOnline: isOnline(), isSent: true });
  }
}
