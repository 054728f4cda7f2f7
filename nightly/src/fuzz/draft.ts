/** A request or an answer, before it is bytes. */
export interface Draft {
  /** `POST /path` or `200 OK`: the first line without the version. */
  readonly start: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Uint8Array | undefined;
}

/** The bytes of a request, framed by its length. */
export function requestBytes({ start, headers, body }: Draft): Buffer {
  return bytes(`${start} HTTP/1.1`, [['host', '127.0.0.1'], ...headers, ...lengthOf(body)], body);
}

/** The bytes of an answer, framed by its length; the connection ends with it. */
export function answerBytes({ start, headers, body }: Draft): Buffer {
  return bytes(`HTTP/1.1 ${start}`, [['connection', 'close'], ...headers, ...lengthOf(body)], body);
}

export function withHeader(draft: Draft, name: string, value: string): Draft {
  const others = draft.headers.filter(([other]) => other !== name);
  return { ...draft, headers: [...others, [name, value]] };
}

function lengthOf(body: Draft['body']): Draft['headers'] {
  return body === undefined ? [] : [['content-length', String(Buffer.byteLength(body))]];
}

function bytes(line: string, headers: Draft['headers'], body: Draft['body'] = ''): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return Buffer.concat([
    Buffer.from([line, ...lines, '', ''].join('\r\n'), 'latin1'),
    Buffer.from(body as Uint8Array),
  ]); // Buffer.from takes either
}
