import { renderAggregator, type Words } from '../aggregator/render.js';
import type { Screen } from '../render.js';
import type { ConnectReport } from './report.js';
import type { Place } from './user.js';

/** The report for a person to read. */
export function renderConnect(report: ConnectReport, screen: Screen): string {
  const words: Words = {
    title: 'Connect',
    about: `${placeInWords(report.place)} The page's own server adds the token, logs every byte and has no key.`,
    views: ['typed in the page', 'logged by its server', 'confirmed by the aggregator'],
  };
  return renderAggregator(report, screen, words);
}

function placeInWords(place: Place): string {
  if (place.kind === 'browser')
    return `A user types credentials into a page, in Chromium ${place.version}; a script of the page encrypts them to the aggregator.`;
  return (
    `No browser can be started here (${place.why}), so the page's own code runs in Node and encrypts to the aggregator ` +
    'what a user would have typed.'
  );
}
