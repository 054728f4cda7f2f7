import {
  CONTENT_SIZES,
  type ContentAlgorithm,
  hasEncryptedKey,
  isContentAlgorithm,
  isKeyAlgorithm,
  type KeyAlgorithm,
} from './algorithms.js';
import { type CompactJwe, parseCompactJwe, type TokenLimits } from './compact.js';
import { refuseToken } from './refusal.js';

/** What is accepted of a token before any key is looked at. */
export interface AcceptedForm extends TokenLimits {
  readonly algs: readonly KeyAlgorithm[];
  readonly encs: readonly ContentAlgorithm[];
}

/** A token that is well-formed, for algorithms that are listed, its parts as long as those want them. */
export interface FormedJwe {
  readonly jwe: CompactJwe;
  readonly alg: KeyAlgorithm;
  readonly enc: ContentAlgorithm;
}

/** Throws `token_invalid` unless a value is such a token. */
export function checkForm(token: unknown, accepted: AcceptedForm): FormedJwe {
  const { algs, encs } = accepted;
  const jwe = parseCompactJwe(token, accepted);
  const alg = algs.find((name) => name === jwe.header.alg && isKeyAlgorithm(name)) ?? refuseToken();
  const enc = encs.find((name) => name === jwe.header.enc && isContentAlgorithm(name)) ?? refuseToken();
  const { iv, tag } = CONTENT_SIZES[enc];
  if (jwe.iv.length !== iv || jwe.tag.length !== tag) refuseToken();
  if (jwe.encryptedKey.length > 0 !== hasEncryptedKey(alg)) refuseToken();
  return { jwe, alg, enc };
}
