import { aggregatorOrigin } from './aggregator-url.js';

/** What the page may do, in the order in which a reader would ask. */
export function contentSecurityPolicy(aggregatorUrl: string): string {
  const directives = {
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': "'self'",
    // Its own server, and the aggregator for the public key: nobody else hears anything.
    'connect-src': `'self' ${aggregatorOrigin(aggregatorUrl)}`,
    // A form that the script has not taken in hand goes nowhere.
    'form-action': "'none'",
    'base-uri': "'none'",
    'frame-ancestors': "'none'",
    // No text ever becomes markup or script.
    'require-trusted-types-for': "'script'",
    'trusted-types': "'none'",
  } as const;
  return Object.entries(directives)
    .map(([name, value]) => `${name} ${value}`)
    .join('; ');
}
