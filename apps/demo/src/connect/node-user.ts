import { createSender, type Outcome } from '@e2ee-apps/connect';
import type { User } from './user.js';

/** Where there is no browser: the code that sends the credentials in the page, with the cookie that a browser would add. */
export async function nodeUser(url: string, aggregatorUrl: string, why: string): Promise<User> {
  const page = await fetch(url);
  const cookie = page.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  const sender = createSender({ apiUrl: `${url}/api`, aggregatorUrl, headers: { cookie } });
  let last: Outcome | undefined;
  return {
    place: { kind: 'node', why },
    async signIn({ id }, values) {
      last = await sender.connect(id, values);
      return null;
    },
    async complete(values) {
      if (last?.kind === 'incomplete') last = await sender.complete(last.connection, values);
      return null;
    },
    close: async () => {},
  };
}
