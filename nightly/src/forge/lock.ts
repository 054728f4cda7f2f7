/** How a CEK goes to the holder of one private key. */
export interface Lock {
  /** What the header says of it. */
  readonly header: { readonly alg: string; readonly kid: string };
  /** Wraps a CEK of any length; what is wrapped may need members in the header. */
  wrap(cek: Buffer): { readonly encryptedKey: Buffer; readonly header: object };
}
