/**
 * How a text may be written down: in UTF-8 and UTF-16, in JSON and in ASCII-only JSON, in a URL and in a form, as
 * hexadecimal digits, and in Base64 wherever in the encoded bytes it begins.
 */
export function spellings(text: string): Map<string, Buffer> {
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const url = encodeURIComponent(text);
  const texts = {
    'UTF-8': text,
    JSON: json,
    'ASCII-only JSON': ascii,
    'a URL': url,
    'a form': url.replaceAll('%20', '+'),
    hexadecimal: Buffer.from(text).toString('hex'),
    ...Object.fromEntries([0, 1, 2].map((offset) => [`Base64 at ${offset}`, base64(text, offset)])),
  };
  const found = Object.entries(texts).map(([name, spelling]) => [name, Buffer.from(spelling)] as const);
  return new Map([
    ...found,
    ['UTF-16', Buffer.from(text, 'utf16le')],
    ['Latin-1', Buffer.from(text, 'latin1')],
  ]);
}

/** The characters that depend on the text alone when `offset` bytes stand before it. */
function base64(text: string, offset: number): string {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]);
  const encoded = bytes.toString('base64').replaceAll('=', '');
  return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6) - 1);
}

/** In which spellings `text` is in `bytes`. */
export function spellingsIn(bytes: Buffer, text: string): string[] {
  return [...spellings(text)].filter(([, spelling]) => bytes.includes(spelling)).map(([name]) => name);
}
