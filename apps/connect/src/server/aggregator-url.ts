/**
 * The origin that is the whole of an aggregator's URL. Throws when there is more: what calls it, and the page's policy, know
 * it by its origin alone.
 */
export function aggregatorOrigin(url: string): string {
  const { protocol, origin, username, password, pathname, search, hash } = new URL(url);
  if (!/^https?:$/.test(protocol))
    throw new Error(`The aggregator’s URL must be http or https, not ${protocol}`);
  const rest = pathname + search + hash;
  if (username + password !== '') throw new Error('The aggregator’s URL must not hold a user or a password');
  if (rest !== '/')
    throw new Error(`The aggregator’s URL must end with its host: ${origin}, without ${rest}`);
  return origin;
}
