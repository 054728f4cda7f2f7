import axios from 'axios';
import { type Bank, readBanks } from './bank.js';
import { Connect } from './connect.js';
import { createSender, isOnline } from './credentials.js';
import { byId, element } from './dom.js';
import { type Failure, failureOf } from './failure.js';
import { createHops } from './hops.js';
import { messageFor } from './messages.js';
import { createNotice } from './notice.js';
import { followServerLog } from './server-log.js';

async function loadBanks(): Promise<readonly Bank[] | Failure> {
  try {
    const { data } = await axios.get('/api/connectors');
    return readBanks(data);
  } catch (error) {
    return failureOf(error, isOnline());
  }
}

async function main(): Promise<void> {
  const step = byId('step');
  // Browsers switch encryption off for pages that came by http: from another machine.
  if (!isSecureContext || !crypto.subtle) {
    step.replaceChildren(createNotice(messageFor('insecure'), { heading: 'h2' }));
    return;
  }
  step.replaceChildren(element('p', { class: 'about' }, 'Loading the banks …'));
  const connect = new Connect({
    step,
    panel: byId('panel'),
    announcer: byId('announcer'),
    hops: createHops(byId('hops')),
    sender: createSender({ apiUrl: '/api', aggregatorUrl: AGGREGATOR_URL }),
    loadBanks,
  });
  addEventListener('pagehide', () => connect.clear());
  await followServerLog('/demo/log', (entry) => connect.hear(entry));
  await connect.begin();
}

await main();
