type Jose = typeof import('jose');

/** How many keys in a row are different ones. */
const POOL = 5;

/**
 * For `vi.mock('jose', …)`: `generateKeyPair` generates a few pairs for each choice of options and then hands them out
 * again. RSA generation is nearly all the time that tests of key rings take.
 */
export function reusingKeyPairs(jose: Jose): Jose {
  const made = new Map<string, ReturnType<Jose['generateKeyPair']>>();
  let calls = 0;
  const generateKeyPair: Jose['generateKeyPair'] = async (...args) => {
    const place = `${JSON.stringify(args)} ${calls % POOL}`;
    calls += 1;
    const pair = made.get(place) ?? jose.generateKeyPair(...args);
    made.set(place, pair);
    await new Promise((resolve) => setTimeout(resolve, 2)); // generating is never done at once
    return pair;
  };
  return { ...jose, generateKeyPair };
}
