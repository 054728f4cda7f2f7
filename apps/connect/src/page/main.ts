import { Connect } from './connect.js';
import { createSender } from './credentials.js';
import { byId, element } from './dom.js';
import { createHops } from './hops.js';
import { loadBanks } from './load-banks.js';
import { messageFor } from './messages.js';
import { createNotice } from './notice.js';
import { followServerLog } from './server-log.js';

const API = '/api';

async function main(): Promise<void> {
  const step = byId('step');
  // Browsers switch encryption off for pages that came by http: from another machine.
  if (!isSecureContext || !crypto.subtle) {
    step.replaceChildren(createNotice(messageFor({ by: 'page', code: 'insecure' }), { heading: 'h2' }));
    return;
  }
  step.replaceChildren(element('p', { class: 'about' }, 'Loading the banks …'));
  const connect = new Connect({
    step,
    panel: byId('panel'),
    announcer: byId('announcer'),
    hops: createHops(byId('hops')),
    sender: createSender({ apiUrl: API, aggregatorUrl: AGGREGATOR_URL }),
    loadBanks: () => loadBanks(API),
  });
  addEventListener('pagehide', () => connect.clear());
  await followServerLog('/demo/log', (entry) => connect.hear(entry));
  await connect.begin();
}

await main();
