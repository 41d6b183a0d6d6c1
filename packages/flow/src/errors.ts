/** Flow text, a field value or packet text that cannot be read. `message` is one line, in the peer's words. */
export class FlowSyntaxError extends Error {
  override name = 'FlowSyntaxError';
}
