/** Something that the person at the keyboard can put right. The message is all that is shown. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}
